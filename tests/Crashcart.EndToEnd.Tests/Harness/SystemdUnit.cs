namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A unit of ours, systemd.service(5), and its sandbox as far as it can be had without systemd.</summary>
internal sealed class SystemdUnit
{
    /// <summary>
    /// $1: what may be written, a path in each word; the words after it: whether /proc is the processes of one's own, whether /dev is
    /// empty, and the command.
    /// </summary>
    private const string Script = """
        set -e
        for path in $1; do mkdir -p "$path"; mount -n --bind "$path" "$path"; done
        while read -r _ _ _ _ at _; do
          case $at in /proc | /proc/* | /dev | /dev/* | /sys/fs/cgroup*) continue ;; esac
          for path in $1; do case $at in "$path" | "$path"/*) continue 2 ;; esac; done
          mount -n -o remount,bind,ro "$at" 2>/dev/null || true
        done < /proc/self/mountinfo
        mount -n -t tmpfs -o mode=0,ro tmpfs /home
        mount -n -t tmpfs -o mode=0,ro tmpfs /root
        mount -n --bind /proc/sys /proc/sys
        mount -n -o remount,bind,ro /proc/sys
        if [ "$2" = invisible ]; then mount -n -t proc -o subset=pid,hidepid=invisible proc /proc; fi
        if [ "$3" = yes ]; then
          mount -n -t tmpfs -o mode=755 tmpfs /mnt
          for device in null zero full random urandom tty; do touch /mnt/$device; mount -n --bind /dev/$device /mnt/$device; done
          mount -n --move /mnt /dev
        fi
        umask 077
        shift 3
        exec "$@"
        """;

    private readonly ILookup<string, string> _settings;

    private SystemdUnit(string path)
    {
        Path = path;
        _settings = File.ReadLines(path)
            .Where(line => line.Contains('=', StringComparison.Ordinal) && !line.StartsWith('#'))
            .Select(line => line.Split('=', 2))
            .ToLookup(words => words[0], words => words[1]);
    }

    public string Path { get; }

    public string[] Start => this["ExecStart"].Split(' ');

    /// <summary>Empty when it has none of them.</summary>
    public string this[string setting] => _settings[setting].LastOrDefault("");

    /// <param name="program">crashcart-node or crashcart-coordinator</param>
    public static SystemdUnit Of(string program) => new(System.IO.Path.Combine(Artifacts.Repository, "packaging/systemd", program + ".service"));

    /// <summary>A command in the unit's file systems, privileges and umask.</summary>
    /// <param name="writable">In the places of its state and runtime directories.</param>
    public Command Confine(Command command, params string[] writable)
    {
        Assert.Equal(("strict", "yes", "yes", "0077"), (this["ProtectSystem"], this["ProtectHome"], this["ProtectKernelTunables"], this["UMask"]));
        string[] privileges = this["NoNewPrivileges"] == "yes"
            ? ["setpriv", "--no-new-privs", "--bounding-set", "-all" + Capabilities(), "--inh-caps", "-all"]
            : [];
        return command with
        {
            Program = "unshare",
            Arguments =
            [
                "--mount", "--propagation", "slave", "sh", "-c", Script, "sandbox",
                string.Join(' ', writable), this["ProtectProc"], this["PrivateDevices"], .. privileges, command.Program, .. command.Arguments,
            ],
        };
    }

    private string Capabilities() =>
        string.Concat(this["CapabilityBoundingSet"].Split(' ').Select(name => ",+" + name["CAP_".Length..].ToLowerInvariant()));
}
