namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>The container images of the tests, made from files of this machine.</summary>
internal static class TestImages
{
    /// <summary>busybox with its applets, /etc/passwd with <c>root</c> and <c>app</c> (1000), /tmp; it sleeps.</summary>
    public const string Busybox = "busybox";

    /// <summary>One static program, which is a web server, and no other file.</summary>
    public const string Scratch = "scratch";

    public static async Task Import(DockerDaemon daemon)
    {
        await using var directory = TemporaryDirectory.Create();
        await Import(daemon, MakeBusybox(directory["busybox"], await Applets()), Busybox, """CMD ["sleep", "1000000"]""");
        await Import(daemon, await MakeScratch(directory["scratch"]), Scratch, """CMD ["/web"]""");
    }

    public static async Task Import(DockerDaemon daemon, string root, string name, string change)
    {
        await new Command("tar", "-C", root, "-cf", $"{root}.tar", ".").Output();
        await daemon.Docker("import", "--change", change, $"{root}.tar", name).Output();
    }

    private static async Task<string[]> Applets() => (await new Command("/bin/busybox", "--list").Output()).Split('\n');

    private static string MakeBusybox(string root, string[] applets)
    {
        foreach (var directory in (string[])["bin", "etc", "home/app", "root", "tmp"])
            Directory.CreateDirectory(Path.Combine(root, directory));
        File.SetUnixFileMode(Path.Combine(root, "tmp"), (UnixFileMode)0x3FF); // 1777
        File.Copy("/bin/busybox", Path.Combine(root, "bin/busybox"));
        foreach (var applet in applets.Where(applet => applet != "busybox"))
            File.CreateSymbolicLink(Path.Combine(root, "bin", applet), "busybox");
        File.WriteAllText(Path.Combine(root, "etc/passwd"), "root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/home/app:/bin/sh\n");
        File.WriteAllText(Path.Combine(root, "etc/group"), "root:x:0:\napp:x:1000:\nwheel:x:10:app\n");
        return root;
    }

    private static async Task<string> MakeScratch(string root)
    {
        Directory.CreateDirectory(root);
        var source = Path.Combine(AppContext.BaseDirectory, "Programs", "web.c");
        await new Command("gcc", "-static", "-O2", "-s", "-o", Path.Combine(root, "web"), source).Output();
        return root;
    }
}
