
namespace Crashcart.Native.Tests;

[Collection(TheHost.Name)]
public sealed class AttachedImageTests : IDisposable
{
    private readonly ImageDirectory _images = new();

    [Fact]
    public void An_erofs_image_is_attached_without_becoming_visible()
    {
        string path = _images.MakeErofs();
        using AttachedImage image = AttachedImage.Attach(path);
        Assert.Equal("erofs", image.FileSystem);
        Assert.Matches("^/dev/loop[0-9]+$", image.LoopDevice);
        Assert.DoesNotContain(MountInfo.ReadOwn(), mount => mount.Source == image.LoopDevice);
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(4096)]
    public void An_ext4_image_is_attached_whatever_its_block_size(int blockSize)
    {
        using AttachedImage image = AttachedImage.Attach(_images.MakeExt4(blockSize));
        Assert.Equal("ext4", image.FileSystem);
    }

    [Fact]
    public void A_squashfs_image_is_known_by_its_magic()
    {
        byte[] head = new byte[96];
        "hsqs"u8.CopyTo(head);
        Assert.Equal("squashfs", Superblock.Identify(head)?.FileSystem);
    }

    [Fact]
    public void An_image_that_was_cut_off_is_refused_before_it_is_attached()
    {
        foreach (string image in (string[])[_images.MakeErofs(), _images.MakeExt4(4096)])
        {
            using (FileStream file = File.OpenWrite(image))
                file.SetLength(file.Length - 1);
            Assert.Matches(" is cut off: its (erofs|ext4) says that it has [0-9]+ bytes, and the file has [0-9]+: copy it again", Refused(image).Message);
        }
    }

    [Fact]
    public void A_squashfs_image_that_was_cut_off_is_refused_and_one_with_padding_is_not()
    {
        byte[] file = new byte[4096];
        "hsqs"u8.CopyTo(file);
        file[41] = 0x10; // bytes_used = 4096
        Assert.Equal(4096u, Superblock.Identify(file)?.Size);
        string image = InDirectory("cut.img");
        File.WriteAllBytes(image, file[..4095]);
        Assert.Contains("is cut off: its squashfs says that it has 4096 bytes, and the file has 4095", Refused(image).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_root_of_an_attached_image_can_be_read_and_is_mounted_nowhere()
    {
        using AttachedImage image = AttachedImage.Attach(_images.MakeErofs());
        Assert.NotEmpty(Directory.EnumerateFileSystemEntries(image.Root));
        Assert.DoesNotContain(MountInfo.ReadOwn(), mount => mount.Source == image.LoopDevice);
    }

    /// <summary>What Linux before 6.15 does in place of a clone.</summary>
    [Fact]
    public void An_image_that_is_mounted_again_is_the_same_file_system()
    {
        using AttachedImage image = AttachedImage.Attach(_images.MakeErofs());
        using var mount = DetachedMount.Create(image.FileSystem, image.LoopDevice, image.Path);
        using Descriptor again = mount.MountAgain(), clone = mount.CloneTree();
        Assert.Equal(FileIdentity.Of(image.Root), FileIdentity.Of($"/proc/self/fd/{again.Number}"));
        Assert.Equal(FileIdentity.Of(image.Root), FileIdentity.Of($"/proc/self/fd/{clone.Number}"));
    }

    [Fact]
    public void A_link_to_an_image_is_followed()
    {
        string link = InDirectory("link.img");
        File.CreateSymbolicLink(link, _images.MakeErofs());
        using AttachedImage image = AttachedImage.Attach(link);
        Assert.Equal(link, image.Path);
    }

    [Fact]
    public void No_file_at_the_path_is_said_with_the_remedy()
    {
        CrashcartException e = Refused(InDirectory("absent.img"));
        Assert.Contains("There is no image at", e.Message, StringComparison.Ordinal);
        Assert.Contains("crashcart image build", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_link_that_leads_nowhere_is_named_as_such()
    {
        string link = InDirectory("dangling.img");
        File.CreateSymbolicLink(link, "/nowhere/at/all.img");
        Assert.Contains("is a link to '/nowhere/at/all.img'", Refused(link).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_directory_is_no_image() =>
        Assert.Contains("is a directory", Refused(_images.Tree).Message, StringComparison.Ordinal);

    [Fact]
    public void A_fifo_is_refused_without_waiting_for_a_writer()
    {
        string fifo = InDirectory("fifo");
        Shell.Run("mkfifo", fifo);
        Assert.Contains("a FIFO", Refused(fifo).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_empty_file_is_no_image() => Assert.Contains("is empty", Refused(Written("empty.img", [])).Message, StringComparison.Ordinal);

    [Theory]
    [InlineData(10)]
    [InlineData(1 << 20)]
    public void A_file_without_a_file_system_is_no_image(int size) =>
        Assert.Contains("holds no erofs", Refused(Written("text.img", new byte[size])).Message, StringComparison.Ordinal);

    [Fact]
    public void A_damaged_image_is_said_to_be_so_and_leaves_no_device()
    {
        string path = _images.MakeExt4(4096);
        using (FileStream file = File.OpenWrite(path))
        {
            // The descriptors of its groups.
            file.Position = 4096;
            file.Write(new byte[4096]);
        }

        Assert.Contains("damaged or cut off", Refused(path).Message, StringComparison.Ordinal);
        // A program that another test starts at this moment has the device's descriptor until it is executed.
        Eventually.Holds(() => !_images.LoopDevices().Any(), "the loop device is free");
    }

    [Fact]
    public void An_old_kernel_is_named_with_the_version_that_is_needed()
    {
        CrashcartException e = Assert.Throws<CrashcartException>(() => KernelVersion.Require(new Version(5, 11)));
        Assert.Contains("Linux 5.12 or newer and this host runs 5.11", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_is_not_root_learns_it()
    {
        CrashcartException e = Assert.Throws<CrashcartException>(() => Privilege.Require("attach an image", 1000));
        Assert.Equal(FailureReason.NotPermitted, e.Reason);
        Assert.Contains("Only root can attach an image", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_file_system_that_the_kernel_lacks_is_named()
    {
        CrashcartException e = Assert.Throws<CrashcartException>(() => DetachedMount.Create("nosuchfs", "/dev/null", "toolbox.img"));
        Assert.Contains("this kernel has no nosuchfs", e.Message, StringComparison.Ordinal);
    }

    public void Dispose() => _images.Dispose();

    private static CrashcartException Refused(string path)
    {
        CrashcartException e = Assert.Throws<CrashcartException>(() => AttachedImage.Attach(path));
        Assert.Equal(FailureReason.NoImage, e.Reason);
        Assert.Contains(path, e.Message, StringComparison.Ordinal);
        return e;
    }

    private string InDirectory(string name) => Path.Combine(_images.Root, name);

    private string Written(string name, byte[] content)
    {
        string path = InDirectory(name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
