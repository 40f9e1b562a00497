namespace Crashcart.Native.Tests;

/// <summary>Several images in one container, each at a place of its own.</summary>
[Collection(TheHost.Name)]
public sealed class MountPathTests
{
    private static readonly MountPath Data = MountPath.Parse("/dev/crashcart-data");

    [Theory]
    [InlineData("/dev/crashcart")]
    [InlineData("/dev/crashcart-a")]
    [InlineData("/dev/crashcart-Data_2.1-x")]
    public void A_place_is_the_default_one_or_beside_it(string path) => Assert.Equal(path, MountPath.Parse(path).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("crashcart-data")]
    [InlineData("/dev/crashcart-")]
    [InlineData("/dev/crashcart/")]
    [InlineData("/dev/crashcart/bin")]
    [InlineData("/dev/crashcart-a/b")]
    [InlineData("/dev/crashcart-../shm")]
    [InlineData("/dev/crashcart-a b")]
    [InlineData("/dev/crashcart-ä")]
    [InlineData("/dev/crashcart-0123456789012345678901234567890123")]
    [InlineData("/dev/shm")]
    [InlineData("/opt/crashcart-data")]
    public void Everything_else_in_the_container_is_no_place(string path)
    {
        CrashcartException e = Assert.Throws<CrashcartException>(() => MountPath.Parse(path));
        Assert.Equal(FailureReason.BadRequest, e.Reason);
        Assert.Contains("/dev/crashcart-NAME", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_images_are_mounted_side_by_side_and_each_goes_without_a_trace()
    {
        using var box = new Toolbox();
        using AttachedImage other = AttachedImage.Attach(box.MakeImage());
        IReadOnlyList<string> before = box.Container.DevEntries();

        SharedMount first = await SharedMount.AttachAsync(box.Target, box.Image);
        SharedMount second = await SharedMount.AttachAsync(box.Target, other, Data);

        Assert.Equal((box.Image.LoopDevice, other.LoopDevice), (first.LoopDevice, second.LoopDevice));
        Assert.True(File.Exists(box.Container.Inside("/dev/crashcart-data/bin/busybox")));
        Assert.Equal(second, SharedMount.Find(box.Target, Data));
        Assert.Equal(
            [("/dev/crashcart", first.MountId), ("/dev/crashcart-data", second.MountId)],
            MountSurvey.Read().Mounts.Where(mount => mount.MountId == first.MountId || mount.MountId == second.MountId)
                .Select(mount => (mount.At.ToString(), mount.MountId)).Order());

        Assert.True(await SharedMount.DetachAsync(box.Target));
        Assert.False(await SharedMount.DetachAsync(box.Target));
        Assert.Equal(second, SharedMount.Find(box.Target, Data));
        Assert.True(await SharedMount.DetachAsync(box.Target, at: Data));
        Assert.False(await SharedMount.DetachAsync(box.Target, at: Data));
        Assert.Equal(before, box.Container.DevEntries());
        Assert.DoesNotContain(MountSurvey.Read().Mounts, mount => mount.MountId == first.MountId || mount.MountId == second.MountId);
    }

    [Fact]
    public async Task A_second_image_at_the_same_place_is_refused_wherever_that_is()
    {
        using var box = new Toolbox();
        using AttachedImage other = AttachedImage.Attach(box.MakeImage());
        await SharedMount.AttachAsync(box.Target, box.Image, Data);

        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.AttachAsync(box.Target, other, Data));

        Assert.Equal(FailureReason.Busy, e.Reason);
        Assert.Contains("is mounted at /dev/crashcart-data in", e.Message, StringComparison.Ordinal);
        await SharedMount.DetachAsync(box.Target, at: Data);
    }

    [Fact]
    public async Task Sessions_see_it_and_neither_hold_it_nor_take_it_away()
    {
        using var box = new Toolbox();
        using AttachedImage other = AttachedImage.Attach(box.MakeImage());
        IReadOnlyList<string> before = box.Container.DevEntries();
        await SharedMount.AttachAsync(box.Target, other, Data);
        foreach (bool shared in (bool[])[false, true])
        {
            await using ToolProcess tool = await box.StartAsync(box.Script("ls /dev/crashcart-data/bin/busybox; read word") with { Shared = shared });
            Assert.Equal("/dev/crashcart-data/bin/busybox\n", await Toolbox.ReadLineAsync(tool.StandardOutput!));

            Assert.True(await SharedMount.DetachAsync(box.Target, at: Data));
            await SharedMount.AttachAsync(box.Target, other, Data);

            tool.StandardInput!.Dispose();
            await tool.Exited;
            Assert.NotNull(SharedMount.Find(box.Target, Data));
            Assert.Null(SharedMount.Find(box.Target));
        }
        await SharedMount.DetachAsync(box.Target, at: Data);
        Assert.Equal(before, box.Container.DevEntries());
    }

    [Fact]
    public async Task A_busy_one_names_its_place_and_its_user()
    {
        using var box = new Toolbox();
        await SharedMount.AttachAsync(box.Target, box.Image, Data);
        await using ToolProcess user = await box.StartAsync(
            box.Script("cd /dev/crashcart-data; echo in; read word") with { Shared = true });
        await Toolbox.ReadLineAsync(user.StandardOutput!);

        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.DetachAsync(box.Target, at: Data));

        Assert.Equal(FailureReason.Busy, e.Reason);
        Assert.Contains("/dev/crashcart-data in", e.Message, StringComparison.Ordinal);
        Assert.Contains("(sh)", e.Message, StringComparison.Ordinal);
        Assert.True(await SharedMount.DetachAsync(box.Target, force: true, Data));
        user.StandardInput!.Dispose();
        await user.Exited;
    }

    [Theory]
    [InlineData("mkdir evil; ln -s /evil dev/crashcart-data", "/dev/crashcart-data in the container", "is no plain directory")]
    [InlineData(": >dev/crashcart-data", "/dev/crashcart-data in the container", "is no plain directory")]
    [InlineData("mkdir dev/crashcart-data; mount -t tmpfs other dev/crashcart-data", "mounted at /dev/crashcart-data", "not Crashcart's")]
    public async Task What_is_there_is_neither_followed_nor_covered_nor_taken_away(string setup, string where, string why)
    {
        using var box = new Toolbox(setup: setup);
        IReadOnlyList<string> before = box.Container.DevEntries();

        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.AttachAsync(box.Target, box.Image, Data));

        Assert.Equal(FailureReason.TargetHostile, e.Reason);
        Assert.Contains(where, e.Message, StringComparison.Ordinal);
        Assert.Contains(why, e.Message, StringComparison.Ordinal);
        Assert.False(await SharedMount.DetachAsync(box.Target, force: true, Data));
        Assert.Equal(before, box.Container.DevEntries());
    }

    [Fact]
    public async Task One_that_was_moved_is_found_and_named()
    {
        using var box = new Toolbox(setup: "mkdir -p elsewhere");
        using AttachedImage other = AttachedImage.Attach(box.MakeImage());
        SharedMount first = await SharedMount.AttachAsync(box.Target, box.Image);
        await SharedMount.AttachAsync(box.Target, other, Data);
        Shell.Run("nsenter", "--target", $"{box.Container.Pid}", "--mount", "/bin/busybox", "mount", "--move", "/dev/crashcart-data", "/elsewhere");

        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.DetachAsync(box.Target, at: Data));

        Assert.Contains("'/elsewhere'", e.Message, StringComparison.Ordinal);
        Assert.Equal(first, SharedMount.Find(box.Target));
        Assert.True(await SharedMount.DetachAsync(box.Target));
    }
}
