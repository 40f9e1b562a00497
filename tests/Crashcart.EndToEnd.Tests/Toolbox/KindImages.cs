using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>
/// The container images of the kinds. Each runs <c>/app</c>, a web server that asks itself twice a second whether it is
/// well, and which <c>gdb</c> finds functions' names and a script in.
/// </summary>
internal static class KindImages
{
    public const string Glibc = "glibc";
    public const string Musl = "musl";
    public const string Static = "static";
    public const string Scratch = "one-file";

    /// <summary>The container's own programs find their C library before the trap by the same name (ld.so(8), DT_RPATH).</summary>
    private static readonly string[] OwnLibraries =
        ["-Wl,--disable-new-dtags", $"-Wl,-rpath,/lib/{TrapFiles.Triplet}:/lib64"];

    private static readonly string Programs = Path.Combine(AppContext.BaseDirectory, "Programs");

    /// <param name="directory">Where their roots are made.</param>
    public static async Task<IReadOnlyDictionary<string, string>> Make(TemporaryDirectory directory, Traps traps)
    {
        var roots = ((string[])[Glibc, Musl, Static, Scratch]).ToDictionary(name => name, name => Directory.CreateDirectory(directory[name]).FullName);
        foreach (var name in (string[])[Glibc, Musl, Static])
        {
            MakeSystem(roots[name]);
            await traps.Plant(roots[name]);
        }
        await Task.WhenAll(
            Compile("gcc", roots[Glibc], "app", OwnLibraries, "web.c", "autoload.c"),
            Compile("gcc", roots[Glibc], "victim", OwnLibraries, "victim.c"),
            Compile("musl-gcc", roots[Musl], "app", [], "web.c", "autoload.c"),
            Compile("gcc", roots[Static], "app", ["-static"], "web.c", "autoload.c"),
            Compile("gcc", roots[Scratch], "app", ["-static"], "web.c", "autoload.c"));
        await CopyLibraries(roots[Glibc], Path.Combine(roots[Glibc], "app"));
        await MakeMusl(roots[Musl]);
        return roots;
    }

    private static void MakeSystem(string root)
    {
        foreach (var directory in (string[])["etc", "home/app", "root", "tmp", "var/tmp"])
            Directory.CreateDirectory(Path.Combine(root, directory));
        File.SetUnixFileMode(Path.Combine(root, "tmp"), (UnixFileMode)0x3FF); // 1777
        File.WriteAllText(Path.Combine(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n");
        File.WriteAllText(Path.Combine(root, "etc/group"), "root:x:0:\napp:x:1000:\n");
    }

    private static Task<string> Compile(string compiler, string root, string program, string[] options, params string[] sources) =>
        new Command(compiler,
            ["-g", "-O1", "-no-pie", .. options, "-o", Path.Combine(root, program), .. sources.Select(source => Path.Combine(Programs, source))])
            .Output();

    /// <summary>The loader and libraries of a program, at their places on this machine.</summary>
    private static async Task CopyLibraries(string root, string program)
    {
        var libraries = (await new Command("ldd", program).Output()).Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
        foreach (var library in libraries.Where(word => word.StartsWith('/')).Distinct())
        {
            var copy = root + library;
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(library, copy, overwrite: true);
        }
    }

    private static async Task MakeMusl(string root)
    {
        // The loader is the C library; its name is in the program.
        var loader = (await new Command("sh", "-c", $"readelf -p .interp {root}/app | grep -o '/lib/ld-musl.*'").Output()).Trim();
        File.Copy(loader, root + loader, overwrite: true);
        await File.WriteAllTextAsync(Path.Combine(root, "etc", $"{Path.GetFileNameWithoutExtension(loader)}.path"), "/trap/lib\n");
        foreach (var name in (string[])["libc.so.6", "libtinfo.so.6", "libcrypto.so.3"])
            File.Copy(Path.Combine(root, "lib/libnss_trap.so.2"), Path.Combine(root, "lib", name));
    }
}
