namespace Crashcart.Image.Tests;

/// <summary>
/// A container's file system without a C library, a shell or users of its own, where everything that a tool could be made
/// to load says "hostile" and ends the tool.
/// </summary>
internal sealed class HostileRoot : IDisposable
{
    private const string Library = """
        #include <fcntl.h>
        #include <unistd.h>
        __attribute__((constructor)) static void loaded(void)
        {
            open("/mark", O_CREAT | O_WRONLY, 0600);
            (void)!write(2, "hostile\n", 8);
            _exit(99);
        }
        """;

    private const string HostPath = "/usr/sbin:/usr/bin:/sbin:/bin";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);
    private static readonly string[] LibraryDirectories = ["lib", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"];
    private static readonly string[] Libraries = ["libnss_hostile.so.2", "libc.so.6", "libtinfo.so.6", "libcrypto.so.3", "libcc.so"];

    private readonly DirectoryInfo _root = Directory.CreateTempSubdirectory("crashcart-root-");

    /// <param name="image">Unpacked to <c>/dev/crashcart</c>.</param>
    public HostileRoot(string image)
    {
        Directory.CreateDirectory(Path("proc"));
        Directory.CreateDirectory(Path("dev"));
        HostProgram.Find("fsck.erofs", "erofs-utils").Run([$"--extract={Path("dev/crashcart")}", image]);
        WriteLibraries();
        Write("etc/ld.so.preload", "/lib/libcc.so\n");
        Write("etc/nsswitch.conf", "passwd: hostile files\ngroup: hostile files\nhosts: hostile files dns\n");
        Write("etc/bash.bashrc", "echo hostile\n");
        Write(".bashrc", "echo hostile\n");
        Write(".inputrc", "Control-d: \"echo hostile\\n\"\n");
        Write(".lesskey", "#env\nLESSOPEN=|echo hostile\n");
        Write("usr/lib/ssl/openssl.cnf", """
            openssl_conf = init
            [init]
            providers = providers
            [providers]
            hostile = hostile
            [hostile]
            module = /lib/libcc.so
            activate = 1
            """);
    }

    /// <summary>Runs a tool of the image there, with a session's environment and hostile loader variables.</summary>
    public (int? Status, string Said) Run(params string[] command)
    {
        var (program, arguments) = Enter();
        return program.Try([.. arguments, .. Environment(), .. command], Limit, new Dictionary<string, string>());
    }

    /// <summary>Runs a tool with nothing but these variables, as docker exec does with the container's.</summary>
    public (int? Status, string Said) Run(IReadOnlyDictionary<string, string> environment, params string[] command)
    {
        var (program, arguments) = Enter();
        return program.Try([.. arguments, .. command], Limit, environment);
    }

    /// <summary>The same, with a /proc in a mount namespace of its own.</summary>
    public (int? Status, string Said) RunWithProc(params string[] command)
        => HostProgram.Find("unshare", "util-linux").Try(
            [
                .. UserNamespace(), "--mount", "--pid", "--fork", $"--mount-proc={Path("proc")}", "chroot", _root.FullName,
                .. Environment(), .. command,
            ],
            Limit,
            new Dictionary<string, string> { ["PATH"] = HostPath });

    /// <summary>The same, on a terminal whose user leaves at once.</summary>
    public (int? Status, string Said) RunInTerminal(params string[] command)
    {
        var (program, arguments) = Enter();
        var line = string.Join(' ', [program.Path, .. arguments, .. Environment(), .. command]);
        // A line, and not only the end of input: that is lost when it comes before the shell has set the terminal up.
        return HostProgram.Find("sh", "dash").Try(
            ["-c", "echo exit | script -qec \"$0\" /dev/null", line],
            Limit,
            new Dictionary<string, string> { ["PATH"] = HostPath, ["SHELL"] = "/bin/sh" });
    }

    public void Write(string path, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path(path))!);
        File.WriteAllText(Path(path), text);
    }

    public void WriteProgram(string path, string text)
    {
        Write(path, text);
        File.SetUnixFileMode(Path(path), (UnixFileMode)0b111_101_101);
    }

    /// <summary>Puts the library that says "hostile" and leaves a mark there too.</summary>
    public void WriteLibrary(string path)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(Path(path))!);
        File.Copy(Path("hostile.so"), Path(path), overwrite: true);
    }

    public void Delete(string path) => File.Delete(Path(path));

    public string Read(string path) => File.ReadAllText(Path(path));

    public bool Exists(string path) => File.Exists(Path(path)) || Directory.Exists(Path(path));

    public void Dispose() => _root.Delete(recursive: true);

    private static string[] UserNamespace() => System.Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];

    private static string[] Environment() =>
    [
        "/dev/crashcart/bin/env", "-i", "PATH=/dev/crashcart/bin:/bin", "HOME=/", "TERM=xterm", "LANG=C.UTF-8",
        "LD_PRELOAD=/lib/libcc.so", "LD_LIBRARY_PATH=/lib:/usr/lib", "LD_AUDIT=/lib/libcc.so",
    ];

    private (HostProgram Program, string[] Arguments) Enter()
        => System.Environment.IsPrivilegedProcess
            ? (HostProgram.Find("chroot", "coreutils"), [_root.FullName])
            : (HostProgram.Find("unshare", "util-linux"), [.. UserNamespace(), "--root", _root.FullName]);

    private void WriteLibraries()
    {
        Write("hostile.c", Library);
        var made = Path("hostile.so");
        HostProgram.Find("cc", "gcc").Run(["-shared", "-fPIC", "-nostdlib", "-o", made, Path("hostile.c")]);
        foreach (var directory in LibraryDirectories)
        {
            Directory.CreateDirectory(Path(directory));
            foreach (var library in Libraries)
                File.Copy(made, Path($"{directory}/{library}"));
        }
    }

    private string Path(string path) => System.IO.Path.Combine(_root.FullName, path);
}
