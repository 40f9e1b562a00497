using System.Diagnostics;
using System.Globalization;

namespace Crashcart.Native.Tests;

/// <summary>
/// A container made by unshare(1) and pivot_root(8) of a busybox root: the shapes that container runtimes make, without one.
/// </summary>
public sealed class TestContainer : IDisposable
{
    private const string Setup = """
        set -e
        root=$1
        mount --bind "$root" "$root"
        cd "$root"
        mount -t tmpfs -o mode=755 tmpfs dev
        for device in null zero full random urandom tty; do : > dev/$device; mount --bind /dev/$device dev/$device; done
        mkdir dev/pts dev/shm
        mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
        ln -s pts/ptmx dev/ptmx
        mount -t proc proc proc
        @setup@
        pivot_root . old
        /bin/busybox umount -l old
        echo ready
        exec /bin/busybox sh -c "$2"
        """;

    private readonly Process _unshare;

    private TestContainer(Process unshare, int pid, string root)
    {
        _unshare = unshare;
        Pid = pid;
        Root = root;
    }

    /// <summary>The container's PID 1, as the host counts it.</summary>
    public int Pid { get; }

    /// <summary>The root directory, as the host names it; what is mounted in the container is not below it.</summary>
    public string Root { get; }

    /// <param name="setup">Shell commands that run in the new root before pivot_root(8); the root is the working directory.</param>
    /// <param name="command">What PID 1 is: a command of busybox's shell. Its standard input is a pipe that stays open.</param>
    /// <param name="userNamespace">Root is host uid 100000, in a user namespace with 65536 ids.</param>
    /// <param name="without">Capabilities that nothing in it may have, as setpriv(1) takes them: <c>-sys_ptrace,-kill</c>.</param>
    /// <param name="hostPids">It has the host's PID namespace.</param>
    /// <param name="program">A C program of the tests to compile into its /bin, by its name.</param>
    public static TestContainer Start(
        string setup = "", string command = "exec /bin/busybox cat", bool userNamespace = false, string? without = null,
        bool hostPids = false, string? program = null)
    {
        string root = Directory.CreateTempSubdirectory("crashcart-container-").FullName;
        Shell.Run("chmod", "755", root);
        foreach (string name in new[] { "bin", "dev", "proc", "old", "tmp", "etc", "home/user" })
            Directory.CreateDirectory(Path.Combine(root, name));
        File.Copy("/bin/busybox", Path.Combine(root, "bin/busybox"));
        if (program is not null)
            HostileProgram.Compile(program, Path.Combine(root, "bin", program));
        File.WriteAllText(Path.Combine(root, "etc/passwd"), "root:x:0:0::/root:/bin/sh\nuser:x:1000:1001::/home/user:/bin/sh\n");
        File.WriteAllText(Path.Combine(root, "etc/group"), "root:x:0:\nuser:x:1001:\nextra:x:1002:user\n");
        string script = Setup.Replace("@setup@", setup, StringComparison.Ordinal);
        string[] unshareArguments =
        [
            "--mount", .. (string[])(hostPids ? [] : ["--pid"]), "--uts", "--ipc", "--net", "--cgroup", "--fork", "--kill-child", "--propagation", "private",
            "sh", "-c", script, "sh", root, command,
        ];
        Process? holder = userNamespace ? HoldUserNamespace(root) : null;
        string[] nsenterArguments = ["--user", $"--target={holder?.Id}", "--setuid=0", "--setgid=0", "unshare", .. unshareArguments];
        string[] line = userNamespace ? ["nsenter", .. nsenterArguments] : ["unshare", .. unshareArguments];
        if (without is not null)
            line = ["setpriv", "--bounding-set", without, .. line];
        var start = new ProcessStartInfo(line[0], line[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["CONTAINER_SECRET"] = "1" },
        };
        Process unshare = Process.Start(start)!;
        string? said = unshare.StandardOutput.ReadLine();
        holder?.StandardInput.Close();
        holder?.WaitForExit();
        holder?.Dispose();
        if (said != "ready")
        {
            Directory.Delete(root, recursive: true);
            Assert.Fail($"No container with '{setup}': {unshare.StandardError.ReadToEnd()}");
        }
        string children = File.ReadAllText($"/proc/{unshare.Id}/task/{unshare.Id}/children");
        return new TestContainer(unshare, int.Parse(children.Trim(), CultureInfo.InvariantCulture), root);
    }

    // Only a process outside may map more than its own id, so somebody has to be in the namespace meanwhile.
    private static Process HoldUserNamespace(string root)
    {
        Shell.Run("chown", "-R", "100000:100000", root);
        Process holder = Process.Start(
            new ProcessStartInfo("unshare", ["--user", "sh", "-c", "echo; exec cat"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        holder.StandardOutput.ReadLine();
        File.WriteAllText($"/proc/{holder.Id}/uid_map", "0 100000 65536");
        File.WriteAllText($"/proc/{holder.Id}/gid_map", "0 100000 65536");
        return holder;
    }

    /// <summary>A directory or file of the container as the host can reach it, mounts and all.</summary>
    public string Inside(string path) => $"/proc/{Pid}/root{path}";

    /// <summary>Names of everything in the container's /dev.</summary>
    public IReadOnlyList<string> DevEntries() =>
        [.. Directory.EnumerateFileSystemEntries(Inside("/dev")).Select(path => Path.GetFileName(path)).Order()];

    /// <summary>Kills PID 1, and so everything in the container.</summary>
    public void Kill()
    {
        if (!_unshare.HasExited)
        {
            Shell.Run("kill", "-KILL", $"{Pid}");
            _unshare.WaitForExit();
        }
    }

    public void Dispose()
    {
        Kill();
        _unshare.Dispose();
        Directory.Delete(Root, recursive: true);
    }
}
