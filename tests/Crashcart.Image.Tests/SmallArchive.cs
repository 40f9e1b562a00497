using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Crashcart.Image.Tests;

/// <summary>An archive of small packages in a directory, signed with a key of its own.</summary>
public sealed class SmallArchive : IDisposable
{
    /// <summary>So that a package of one content always has the same hash.</summary>
    private static readonly Dictionary<string, string> FixedTime = new() { ["SOURCE_DATE_EPOCH"] = "1000000000" };

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("ccarchive-");
    private readonly Dictionary<string, string> _gnupg;
    private readonly HostProgram _gpg = HostProgram.Find("gpg", "gnupg");

    public SmallArchive()
    {
        _gnupg = new() { ["GNUPGHOME"] = Path("gnupg") };
        Directory.CreateDirectory(Path("gnupg"), UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.CreateDirectory(Path("pool"));
        MakeKey("archive");
        // apt reads it as another user when root runs it.
        File.SetUnixFileMode(_directory.FullName, (UnixFileMode)0b111_101_101);
    }

    /// <summary>A file of sources that names the archive and its key.</summary>
    public string Sources => WriteSources("signed.list", $"deb [signed-by={Path("archive.gpg")}] file:{Path("pool")} ./\n");

    public string Path(string name) => System.IO.Path.Combine(_directory.FullName, name);

    /// <summary>Has these packages, <c>name=version</c> or <c>name=version:what it depends on</c>, and no others, signed.</summary>
    public void Publish(params string[] packages)
    {
        foreach (var old in Directory.EnumerateFiles(Path("pool")))
            File.Delete(old);
        var list = new StringBuilder();
        foreach (var package in packages)
            list.Append(Build(package));
        File.WriteAllText(Path("pool/Packages"), list.ToString());
        Sign(Path("archive.gpg"), "archive");
    }

    /// <summary>Signs what the list says now with another key than the sources name.</summary>
    public void SignWithAnotherKey()
    {
        MakeKey("stranger");
        Sign(Path("stranger.gpg"), "stranger");
    }

    public string WriteSources(string name, string text)
    {
        File.WriteAllText(Path(name), text);
        return Path(name);
    }

    /// <summary>Changes one byte of a text in a file, and not its length.</summary>
    public void Tamper(string file, string text)
    {
        var content = File.ReadAllBytes(Path(file));
        var at = content.AsSpan().IndexOf(Encoding.ASCII.GetBytes(text));
        Assert.True(at >= 0);
        content[at] ^= 1;
        File.WriteAllBytes(Path(file), content);
    }

    public void Dispose()
    {
        HostProgram.Find("gpgconf", "gnupg").Run(["--kill", "all"], _gnupg);
        _directory.Delete(recursive: true);
    }

    private string Build(string package)
    {
        var parts = package.Split('=', ':');
        var (name, version) = (parts[0], parts[1]);
        var control = $"Package: {name}\nVersion: {version}\nArchitecture: {(name == "data" ? "all" : "amd64")}\nMaintainer: x\nDescription: x\n"
            + (parts.Length > 2 ? $"Depends: {parts[2]}\n" : "");
        var root = Path("root");
        Directory.CreateDirectory(System.IO.Path.Combine(root, "DEBIAN"));
        Directory.CreateDirectory(System.IO.Path.Combine(root, "usr/bin"));
        File.WriteAllText(System.IO.Path.Combine(root, "DEBIAN/control"), control);
        File.WriteAllText(System.IO.Path.Combine(root, "usr/bin", name), $"content of {name} {version}\n");
        var file = Path($"pool/{name}_{version}.deb");
        HostProgram.Find("dpkg-deb", "dpkg").Run(["--build", "--root-owner-group", "-Znone", root, file], FixedTime);
        Directory.Delete(root, recursive: true);
        return $"{control}Filename: ./{System.IO.Path.GetFileName(file)}\nSize: {new FileInfo(file).Length}\nSHA256: {Hash(file)}\n\n";
    }

    private void MakeKey(string name)
    {
        _gpg.Run(["--batch", "--passphrase", "", "--quick-gen-key", name, "ed25519", "sign", "never"], _gnupg);
        _gpg.Run(["--batch", "--export", "-o", Path(name + ".gpg"), name], _gnupg);
    }

    private void Sign(string key, string name)
    {
        Assert.True(File.Exists(key));
        var list = Path("pool/Packages");
        var date = new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc).ToString("R", CultureInfo.InvariantCulture);
        File.WriteAllText(Path("pool/Release"), $"Origin: Small\nSuite: test\nCodename: tiny\nDate: {date}\nArchitectures: amd64 arm64\n"
            + $"SHA256:\n {Hash(list)} {new FileInfo(list).Length} Packages\n");
        File.Delete(Path("pool/InRelease"));
        _gpg.Run(["--batch", "-u", name, "--clearsign", "-o", Path("pool/InRelease"), Path("pool/Release")], _gnupg);
        File.Delete(Path("pool/Release"));
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
