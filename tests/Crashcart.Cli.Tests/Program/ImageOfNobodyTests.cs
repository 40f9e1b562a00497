using System.Security.Cryptography;

namespace Crashcart.Cli.Tests.Program;

/// <summary>What a user without privilege makes of images, and what becomes of images that are not right.</summary>
[Collection(AsNobody.Name)]
public sealed class ImageOfNobodyTests(Nobody nobody)
{
    [Fact]
    public async Task A_second_build_of_the_lock_has_the_same_bytes()
    {
        var second = nobody["second.img"];
        var (status, output, error) = await nobody.RunAsync("image", "build", "-f", nobody.RecipePath, "-o", second);
        Assert.True(status == 0, error);
        Assert.Equal("", output);
        Assert.Equal(Digest(nobody.Image), Digest(second));
        Assert.Empty(Directory.EnumerateFileSystemEntries(nobody["tmp"]));
    }

    [Fact]
    public async Task The_user_can_look_into_it_without_mounting()
    {
        var (status, output, error) = await nobody.RunAsync("image", "inspect", nobody.Image);
        Assert.Equal((0, ""), (status, error));
        Assert.Contains("name:         tiny\n", output, StringComparison.Ordinal);
        Assert.Matches("(?m)^busybox +1:", output);
        Assert.Matches("(?m)^libc6 +2", output);
        Assert.Empty(Directory.EnumerateFileSystemEntries(nobody["tmp"]));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_image_that_is_whole_is_told_with_its_digest(bool asRoot)
    {
        var digest = Digest(nobody.Image);
        var (status, output, error) = await Verify(asRoot, nobody.Image, "--digest", digest.ToUpperInvariant().Replace("SHA256", "sha256", StringComparison.Ordinal));
        Assert.Equal((0, ""), (status, error));
        Assert.StartsWith($"{digest}  {nobody.Image}\nThe content is what its manifest says: tiny for ", output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Another_image_than_the_digest_says_is_refused(bool asRoot)
    {
        var wanted = "sha256:" + new string('0', 64);
        var (status, _, error) = await Verify(asRoot, nobody.Image, "--digest", wanted);
        Assert.Equal(
            (1, $"crashcart: The image '{nobody.Image}' is whole, but another than {wanted}: it is {Digest(nobody.Image)}.\n"), (status, error));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_image_that_was_changed_is_refused(bool asRoot)
    {
        var bytes = await File.ReadAllBytesAsync(nobody.Image);
        foreach (ref var value in bytes.AsSpan(bytes.Length / 2, 4096))
            value ^= 0xff;
        await Refused(asRoot, "changed.img", bytes, "is damaged: ");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_image_that_was_cut_off_is_refused(bool asRoot)
    {
        var bytes = await File.ReadAllBytesAsync(nobody.Image);
        await Refused(asRoot, "cut.img", bytes[..(bytes.Length / 2)], "cut off");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_image_that_is_not_there_could_not_be_looked_at(bool asRoot)
    {
        var (status, output, error) = await Verify(asRoot, "/nowhere/x.img");
        Assert.Equal((125, ""), (status, output));
        Assert.Contains("'/nowhere/x.img'", error, StringComparison.Ordinal);
    }

    private async Task Refused(bool asRoot, string name, byte[] bytes, string reason)
    {
        var file = nobody[name];
        await File.WriteAllBytesAsync(file, bytes);
        var (status, output, error) = await Verify(asRoot, file);
        File.Delete(file);
        Assert.True(status == 1, $"{status}: {error}");
        Assert.Equal("", output);
        Assert.Matches($"^crashcart: The image '{file}' [^\n]*({reason})[^\n]*\\.\n$", error);
        Assert.DoesNotContain("Exception", error, StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(nobody["tmp"]));
    }

    private Task<(int Status, string Output, string Error)> Verify(bool asRoot, params string[] arguments) =>
        asRoot ? CliProcess.RunAsync(["image", "verify", .. arguments]) : nobody.RunAsync(["image", "verify", .. arguments]);

    private static string Digest(string path) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path)));
}
