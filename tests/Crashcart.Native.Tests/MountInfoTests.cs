namespace Crashcart.Native.Tests;

public sealed class MountInfoTests
{
    [Fact]
    public void The_line_of_the_man_page_is_read_whole()
    {
        MountInfo mount = MountInfo.Parse("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue");
        Assert.Equal((36, 35, 98, 0), (mount.Id, mount.ParentId, mount.DeviceMajor, mount.DeviceMinor));
        Assert.Equal(("/mnt1", "/mnt2"), (mount.Root, mount.MountPoint));
        Assert.Equal(["rw", "noatime"], mount.Options);
        Assert.Equal((null, 1), (mount.PeerGroup, mount.MasterGroup));
        Assert.Equal(("ext3", "/dev/root"), (mount.FileSystem, mount.Source));
        Assert.Equal(["rw", "errors=continue"], mount.SuperOptions);
    }

    [Theory]
    [InlineData("shared:7", 7, null, false)]
    [InlineData("shared:7 master:3 propagate_from:2", 7, 3, false)]
    [InlineData("unbindable", null, null, true)]
    public void Propagation_is_read_from_the_optional_fields(string fields, int? peers, int? master, bool unbindable)
    {
        MountInfo mount = MountInfo.Parse($"1 2 0:3 / /x rw {fields} - tmpfs none rw");
        Assert.Equal((peers, master, unbindable), (mount.PeerGroup, mount.MasterGroup, mount.Unbindable));
    }

    [Theory]
    [InlineData(@"/a\040b", "/a b")]
    [InlineData(@"/a\011b\012c", "/a\tb\nc")]
    [InlineData(@"/a\134040", @"/a\040")]
    [InlineData(@"/gr\303\274n", "/grün")]
    [InlineData("/-", "/-")]
    [InlineData(@"/end\04", @"/end\04")]
    public void Octal_escapes_are_undone(string written, string meant) =>
        Assert.Equal(meant, MountInfo.Parse($"1 2 0:3 / {written} rw - tmpfs none rw").MountPoint);

    [Fact]
    public void A_mount_without_optional_fields_and_with_an_empty_source_is_read()
    {
        MountInfo mount = MountInfo.Parse("1 2 0:3 / /x rw - tmpfs  rw,size=1k");
        Assert.Equal("", mount.Source);
        Assert.Equal(["rw", "size=1k"], mount.SuperOptions);
    }

    [Theory]
    [InlineData("")]
    [InlineData("1 2 0:3 / /x rw shared:1")]
    [InlineData("1 2 0 / /x rw - tmpfs none rw")]
    [InlineData("x 2 0:3 / /x rw - tmpfs none rw")]
    public void What_is_no_line_of_mountinfo_is_refused(string line) => Assert.Throws<FormatException>(() => MountInfo.Parse(line));

    [Fact]
    public void Of_mounts_on_one_point_the_last_one_contains_a_path()
    {
        IReadOnlyList<MountInfo> mounts = MountInfo.ParseAll(
            "1 0 0:1 / / rw - a a rw\n2 1 0:2 / /dev rw - b b rw\n3 2 0:3 / /dev rw - c c rw\n4 1 0:4 / /developer rw - d d rw\n");
        Assert.Equal(3, MountInfo.Containing(mounts, "/dev")?.Id);
        Assert.Equal(3, MountInfo.Containing(mounts, "/dev/crashcart")?.Id);
        Assert.Equal(1, MountInfo.Containing(mounts, "/etc")?.Id);
    }

    [Fact]
    public void Every_mount_of_this_host_is_read() => Assert.Contains(MountInfo.ReadOwn(), mount => mount.MountPoint == "/proc");

    [Fact]
    public void A_process_that_is_gone_has_no_mounts() => Assert.Null(MountInfo.TryRead(int.MaxValue));
}
