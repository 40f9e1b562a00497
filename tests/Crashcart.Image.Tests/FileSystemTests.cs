using System.Security.Cryptography;

namespace Crashcart.Image.Tests;

public sealed class FileSystemTests : IDisposable
{
    private static readonly string[] Names = ["a", "b/c", "b/d", "lib/x.so"];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-pack-");

    /// <summary>The clock moves between the two, files are made in another order, and the directories have other names.</summary>
    [Theory]
    [InlineData("erofs", 1024, new byte[] { 0xe2, 0xe1, 0xf5, 0xe0 })]
    [InlineData("ext4", 1080, new byte[] { 0x53, 0xef })]
    [InlineData("squashfs", 0, new byte[] { 0x68, 0x73, 0x71, 0x73 })]
    public void The_same_tree_always_gives_the_same_bytes(string format, int magicAt, byte[] magic)
    {
        var (first, second) = (Pack(format, "one", Names), Pack(format, "two", Names.Reverse()));
        Assert.Equal(magic, File.ReadAllBytes(first).AsSpan(magicAt, magic.Length));
        Assert.Equal(SHA256.HashData(File.ReadAllBytes(first)), SHA256.HashData(File.ReadAllBytes(second)));
        Assert.Contains(format, FileSystem.Names);
        Assert.Empty(Directory.EnumerateFiles(_directory.FullName, "*.partial*"));
    }

    [Fact]
    public void An_ext4_image_has_blocks_of_4096_bytes_and_no_errors()
    {
        var image = Pack("ext4", "one", Names);
        Assert.Equal(2, File.ReadAllBytes(image)[1048]);
        HostProgram.Find("e2fsck", "e2fsprogs").Run(["-fn", image]);
    }

    [Fact]
    public void Ext4_has_room_for_many_small_files_and_for_large_ones()
    {
        var many = Enumerable.Range(0, 3000).Select(i => $"directory/with-a-long-name-that-takes-room-{i:D6}");
        HostProgram.Find("e2fsck", "e2fsprogs").Run(["-fn", Pack("ext4", "many", many)]);

        var large = _directory.CreateSubdirectory("large").FullName;
        File.WriteAllBytes(Path.Combine(large, "file"), new byte[40_000_000]);
        File.CreateSymbolicLink(Path.Combine(large, "link"), "file");
        var image = Path.Combine(_directory.FullName, "large.img");
        FileSystem.Of("ext4").Pack(large, [], image, null, () => { }, CancellationToken.None);
        Assert.InRange(new FileInfo(image).Length, 40_000_000, 42_000_000);
    }

    [Fact]
    public void Compression_is_passed_on()
    {
        Pack("squashfs", "one", Names, "gzip,1");
        Pack("erofs", "two", Names, "lz4");
        var error = Assert.Throws<ImageBuildException>(() => Pack("ext4", "three", Names, "lz4"));
        Assert.Equal("ext4 has no compression, so it cannot be lz4.", error.Message);
        Assert.Throws<ImageBuildException>(() => Pack("squashfs", "four", Names, "no-such"));
        Assert.Empty(Directory.EnumerateFiles(_directory.FullName, "*.partial*"));
    }

    [Fact]
    public void A_kind_that_images_cannot_be_is_told_with_those_that_they_can()
    {
        var error = Assert.Throws<ImageBuildException>(() => FileSystem.Of("xfs"));
        Assert.Equal("Images cannot be 'xfs': erofs, ext4, squashfs are the file systems.", error.Message);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    private string Pack(string format, string name, IEnumerable<string> files, string? compression = null)
    {
        var tree = _directory.CreateSubdirectory(name).FullName;
        foreach (var file in files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(tree, file))!);
            File.WriteAllText(Path.Combine(tree, file), "content of " + file);
        }

        var image = Path.Combine(_directory.FullName, name + ".img");
        FileSystem.Of(format).Pack(tree, [1, 2, 3], image, compression, () => { }, CancellationToken.None);
        return image;
    }
}
