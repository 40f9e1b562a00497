using System.Security.Cryptography;
using System.Text.Json;

namespace Crashcart.Image.Tests;

[Collection(SharedImage.Name)]
public sealed class DefaultImageTests(DefaultImage image)
{
    [Fact]
    public async Task A_second_build_has_the_same_bytes()
    {
        var second = image.Path + ".second";
        await DefaultImage.BuildAsync(second);
        Assert.Equal(Hash(image.Path), Hash(second));
        Assert.Equal([Path.GetFileName(image.Path), Path.GetFileName(second)],
            Directory.EnumerateFiles(Path.GetDirectoryName(image.Path)!).Select(Path.GetFileName).Order());
    }

    [Fact]
    public void The_image_is_an_EROFS_file_system()
    {
        using var file = File.OpenRead(image.Path);
        var magic = new byte[4];
        file.Position = 1024;
        file.ReadExactly(magic);
        Assert.Equal([0xe2, 0xe1, 0xf5, 0xe0], magic);
    }

    [Theory]
    [InlineData("GNU bash", "bash", "--version")]
    [InlineData("42", "bash", "-c", "echo $((40 + 2))")]
    [InlineData("1", "bash", "-c", "printf é | wc -m")]
    [InlineData("tcpdump version", "tcpdump", "--version")]
    [InlineData("strace -- version", "strace", "-V")]
    [InlineData("exited with 0", "strace", "-f", "/dev/crashcart/bin/true")]
    [InlineData("ip utility", "ip", "-V")]
    [InlineData("libcurl", "curl", "--version")]
    [InlineData("less ", "less", "--version")]
    [InlineData("BusyBox", "busybox")]
    [InlineData("applet", "busybox", "sh", "-c", "echo applet")]
    [InlineData("ping", "ping", "-V")]
    [InlineData("uid=0(root) gid=0(root)", "id")]
    [InlineData("/dev/crashcart/bin/bash", "getent", "passwd", "root")]
    [InlineData("LC_CTYPE=\"C.UTF-8\"", "locale")]
    [InlineData("/dev/crashcart/share/terminfo/x/xterm", "infocmp", "xterm")]
    [InlineData("/dev/crashcart", "awk", "BEGIN { system(\"echo $BASH\") }")]
    [InlineData("[crashcart]", "less", "-FX", "/dev/crashcart/etc/bashrc")]
    public void Tools_run_where_there_is_nothing_but_the_image(string expected, params string[] command)
    {
        var (status, said) = image.Root.Run(command);
        Assert.Contains(expected, said);
        Assert.DoesNotContain("hostile", said);
        Assert.Equal(0, status);
    }

    [Theory]
    [InlineData("PID", "ps", "aux")]
    [InlineData("load average", "top", "-bn1")]
    [InlineData("total", "pmap", "1")]
    public void Tools_that_read_proc_run(string expected, params string[] command)
    {
        var (status, said) = image.Root.RunWithProc(command);
        Assert.Contains(expected, said);
        Assert.DoesNotContain("hostile", said);
        Assert.Equal(0, status);
        Assert.False(image.Root.Exists(".config"), "a tool left settings behind");
    }

    /// <summary>Each of them asks for something that the container's configuration names a library for.</summary>
    [Theory]
    [InlineData("getent", "hosts", "nobody.invalid")]
    [InlineData("id", "nobody")]
    [InlineData("openssl", "list", "-providers")]
    [InlineData("curl", "-sS", "https://127.0.0.1:1/")]
    [InlineData("busybox", "id", "nobody")]
    public void The_container_cannot_make_a_tool_load_its_libraries(params string[] command)
    {
        var (status, said) = image.Root.Run(command);
        Assert.DoesNotContain("hostile", said);
        Assert.NotEqual(99, status);
    }

    [Fact]
    public void Curl_trusts_the_images_authorities_and_those_that_it_is_given()
    {
        using var server = new TlsServer();
        var (status, said) = image.Root.Run("curl", "-sS", server.Url);
        Assert.Contains("SSL certificate problem: self-signed certificate", said);
        Assert.Equal(60, status);

        image.Root.Write("private-ca.pem", server.CertificatePem);
        (status, said) = image.Root.Run("curl", "-sS", "--cacert", "/private-ca.pem", server.Url);
        Assert.Equal("hello", said);
        Assert.Equal(0, status);
    }

    [Fact]
    public void Bash_starts_on_a_terminal_without_a_complaint_and_leaves_nothing()
    {
        var (status, said) = image.Root.RunInTerminal("bash");
        Assert.Contains("[crashcart] ", said);
        Assert.DoesNotContain("bash:", said);
        Assert.DoesNotContain("hostile", said);
        Assert.Equal(0, status);
        Assert.False(image.Root.Exists(".bash_history"));
    }

    [Fact]
    public void The_manifest_says_what_is_inside()
    {
        using var manifest = JsonDocument.Parse(image.Root.Read("dev/crashcart/manifest.json"));
        var root = manifest.RootElement;
        Assert.Equal("toolbox", root.GetProperty("name").GetString());
        Assert.Equal("amd64", root.GetProperty("architecture").GetString());
        Assert.Matches("^sha256:[0-9a-f]{64}$", root.GetProperty("content").GetString());
        var executables = root.GetProperty("executables").EnumerateArray().Select(e => e.GetString()).ToHashSet();
        Assert.Contains("tcpdump", executables);
        Assert.Contains("tcpdump", root.GetProperty("promises").EnumerateArray().Select(e => e.GetString()));
        Assert.All(root.GetProperty("promises").EnumerateArray(), promise => Assert.Contains(promise.GetString(), executables));
        var packages = root.GetProperty("packages").EnumerateArray().ToDictionary(p => p.GetProperty("name").GetString()!);
        Assert.Matches("^[0-9].*-", packages["tcpdump"].GetProperty("version").GetString());
        Assert.Matches("^[0-9a-f]{64}$", packages["tcpdump"].GetProperty("sha256").GetString());
        Assert.DoesNotContain("debconf", packages.Keys);
        Assert.All(packages.Keys, name => Assert.True(image.Root.Exists($"dev/crashcart/share/doc/{name}/copyright")));
    }

    [Theory]
    [InlineData("erofs")]
    [InlineData("ext4")]
    [InlineData("squashfs")]
    public void The_content_is_what_the_manifest_says_in_every_file_system(string format)
    {
        using var tree = Extraction.Of(image.Path, "erofs", CancellationToken.None);
        var packed = $"{image.Path}.{format}";
        FileSystem.Of(format).Pack(tree.Root, [], packed, null, () => { }, CancellationToken.None);
        using var extraction = Extraction.Of(packed, format, CancellationToken.None);
        File.Delete(packed);

        var contents = ImageContents.Read(extraction.Root);
        Assert.Equal("toolbox", contents.Name);
        Assert.Equal(contents.Content, ImageContents.DigestOf(extraction.Root, CancellationToken.None));
        File.AppendAllText(Path.Combine(extraction.Root, "bin/bashbug-not"), "x");
        Assert.NotEqual(contents.Content, ImageContents.DigestOf(extraction.Root, CancellationToken.None));
    }

    [Fact]
    public void The_bill_of_materials_names_every_package_once()
    {
        using var manifest = JsonDocument.Parse(image.Root.Read("dev/crashcart/manifest.json"));
        using var sbom = JsonDocument.Parse(image.Root.Read("dev/crashcart/sbom.spdx.json"));
        var root = sbom.RootElement;
        Assert.Equal("SPDX-2.3", root.GetProperty("spdxVersion").GetString());
        Assert.Equal("2025-01-01T00:00:00Z", root.GetProperty("creationInfo").GetProperty("created").GetString());
        Assert.EndsWith(
            manifest.RootElement.GetProperty("content").GetString()!["sha256:".Length..], root.GetProperty("documentNamespace").GetString());

        var packages = root.GetProperty("packages").EnumerateArray().Skip(1).ToList();
        Assert.Equal(
            manifest.RootElement.GetProperty("packages").EnumerateArray().Select(p => p.GetProperty("name").GetString()),
            packages.Select(p => p.GetProperty("name").GetString()));
        var ids = packages.Select(p => p.GetProperty("SPDXID").GetString()!).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(ids, id => Assert.Matches("^SPDXRef-[A-Za-z0-9.-]+$", id));
        Assert.Equal(ids, root.GetProperty("relationships").EnumerateArray().Skip(1).Select(r => r.GetProperty("relatedSpdxElement").GetString()));

        var defined = root.GetProperty("hasExtractedLicensingInfos").EnumerateArray().Select(l => l.GetProperty("licenseId").GetString()!);
        var used = packages.SelectMany(p => CopyrightFile.References(p.GetProperty("licenseDeclared").GetString()!)).Distinct();
        Assert.Equal(used.Order(StringComparer.Ordinal), defined.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_package_that_does_not_exist_is_named()
    {
        var recipe = new Recipe { Name = "x", Packages = ["no-such-package-anywhere"] };
        var output = image.Path + ".none";
        var error = await Assert.ThrowsAsync<ImageBuildException>(
            () => DefaultImage.BuildAsync(recipe, output));
        Assert.Contains("Unable to locate package no-such-package-anywhere", error.Message);
        Assert.False(File.Exists(output));
    }

    [Fact]
    public async Task A_promised_program_that_fails_is_named()
    {
        var recipe = new Recipe
        {
            Name = "x",
            Packages = ["bash", "busybox"],
            Executables = new Dictionary<string, string?> { ["bash"] = "-c no-such-command", ["busybox"] = "true" },
        };
        var output = image.Path + ".none";
        var error = await Assert.ThrowsAsync<ImageBuildException>(
            () => DefaultImage.BuildAsync(recipe, output));
        Assert.Contains("bash -c no-such-command ended with status 127: ", error.Message);
        Assert.DoesNotContain("busybox", error.Message);
        Assert.False(File.Exists(output));
    }

    [Fact]
    public async Task A_directory_that_does_not_exist_is_named_before_anything_is_fetched()
    {
        var error = await Assert.ThrowsAsync<ImageBuildException>(() => DefaultImage.BuildAsync("/nowhere/x.img"));
        Assert.Equal("Cannot write the image /nowhere/x.img: there is no such directory.", error.Message);
    }

    private static string Hash(string path) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
