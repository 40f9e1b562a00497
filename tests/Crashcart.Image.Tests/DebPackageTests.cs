using System.Text;

namespace Crashcart.Image.Tests;

public sealed class DebPackageTests : IDisposable
{
    private static readonly HostProgram DpkgDeb = HostProgram.Find("dpkg-deb", "dpkg");

    /// <summary>Nothing can be had from it.</summary>
    private static readonly HostProgram Broken = HostProgram.Find("false", "coreutils");

    private readonly SmallArchive _archive = new();
    private readonly DebPackage _package;

    public DebPackageTests()
    {
        _archive.Publish("tool=1.0");
        _package = new DebPackage("tool", "1.0", "", _archive.Path("pool/tool_1.0.deb"));
    }

    private string Quick => DebPackage.QuickPathOf(_package.Path);

    [Fact]
    public void A_package_is_unpacked_once()
    {
        Assert.Equal("content of tool 1.0\n", Read(DpkgDeb));
        Assert.Equal("content of tool 1.0\n", Read(Broken));
        File.Delete(Quick);
        Assert.Throws<ImageBuildException>(() => Read(Broken));
        Assert.False(File.Exists(Quick));
        Assert.Empty(Directory.EnumerateFiles(_archive.Path("pool"), "*.partial"));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(40)]
    [InlineData(-1)]
    public void What_was_unpacked_and_then_damaged_is_unpacked_again(int length)
    {
        Read(DpkgDeb);
        var whole = File.ReadAllBytes(Quick);
        if (length < 0)
            File.WriteAllBytes(Quick, [.. whole[..^20], .. new byte[20]]);
        else
            File.WriteAllBytes(Quick, whole[..length]);
        Assert.Equal("content of tool 1.0\n", Read(DpkgDeb));
        Assert.Equal(whole, File.ReadAllBytes(Quick));
    }

    public void Dispose() => _archive.Dispose();

    private string Read(HostProgram dpkgDeb)
    {
        var (fields, entries) = _package.Read(dpkgDeb, CancellationToken.None);
        Assert.Equal(("tool", "1.0", "amd64"), (fields["Package"], fields["Version"], fields["Architecture"]));
        return Encoding.UTF8.GetString(Assert.IsType<DebFile>(Assert.Single(entries)).Content);
    }
}
