namespace Crashcart.Native.Tests;

public sealed class LoopDeviceTests : IDisposable
{
    private readonly ImageDirectory _images = new();

    [Fact]
    public void Eight_different_images_attach_at_once_and_every_one_succeeds()
    {
        string[] paths = [.. Enumerable.Range(0, 8).Select(_ => _images.MakeErofs())];
        for (int round = 0; round < 20; round++)
        {
            var attached = new AttachedImage[paths.Length];
            InParallel(paths.Length, i => attached[i] = AttachedImage.Attach(paths[i]));
            Assert.Equal(paths.Length, attached.Select(image => image.LoopDevice).Distinct().Count());
            foreach (AttachedImage image in attached)
                image.Dispose();
        }
    }

    [Fact]
    public void The_same_file_attached_many_times_at_once_shares_one_device()
    {
        string path = _images.MakeErofs();
        var attached = new AttachedImage[8];
        InParallel(attached.Length, i => attached[i] = AttachedImage.Attach(path));
        Assert.Single(attached.Select(image => image.LoopDevice).Distinct());
        LoopDeviceInfo device = Assert.Single(_images.LoopDevices());
        Assert.Equal(path, device.BackingFile);
        Assert.Equal(7, device.DeviceMajor);
        Assert.StartsWith("crashcart:", device.Tag, StringComparison.Ordinal);
        foreach (AttachedImage image in attached)
            image.Dispose();
    }

    [Fact]
    public void The_device_stays_until_the_last_holder_lets_go()
    {
        string path = _images.MakeErofs();
        AttachedImage first = AttachedImage.Attach(path), second = AttachedImage.Attach(path);
        first.Dispose();
        Assert.Single(_images.LoopDevices());
        second.Dispose();
        Eventually.Holds(() => _images.LoopDevices().Count == 0, "the device is free");
    }

    [Fact]
    public void An_image_that_was_replaced_by_a_rename_gets_a_new_device()
    {
        string path = _images.MakeErofs(), newer = _images.MakeErofs();
        using AttachedImage before = AttachedImage.Attach(path);
        File.Move(newer, path, overwrite: true);
        using AttachedImage after = AttachedImage.Attach(path);
        Assert.NotEqual(before.LoopDevice, after.LoopDevice);
        Assert.Contains(_images.LoopDevices(), device => device.BackingFile == path + " (deleted)");
    }

    [Fact]
    public void An_image_that_was_written_again_in_place_gets_a_new_device()
    {
        string path = _images.MakeErofs();
        using AttachedImage before = AttachedImage.Attach(path);
        File.SetLastWriteTimeUtc(path, DateTime.UnixEpoch.AddDays(1));
        using AttachedImage after = AttachedImage.Attach(path);
        Assert.NotEqual(before.LoopDevice, after.LoopDevice);
    }

    [Fact]
    public void A_device_that_somebody_else_made_of_the_image_is_left_alone()
    {
        string path = _images.MakeErofs();
        string foreign = Shell.Run("losetup", "--find", "--show", "--read-only", path).Trim();
        try
        {
            using AttachedImage image = AttachedImage.Attach(path);
            Assert.NotEqual(foreign, image.LoopDevice);
            Assert.DoesNotContain(LoopDeviceInfo.List(), device => device.Device == foreign);
        }
        finally
        {
            Shell.Run("losetup", "--detach", foreign);
        }
    }

    [Fact]
    public void The_tag_fits_into_the_name_of_a_loop_device()
    {
        var largest = new FileStatus(new FileIdentity(0xfff, 0xfffff, ulong.MaxValue), FileType.Regular, 0, long.MaxValue, 999_999_999);
        Assert.InRange(LoopTag.Of(largest).Value.Length, 1, 63);
    }

    public void Dispose() => _images.Dispose();

    private static void InParallel(int count, Action<int> action)
    {
        using var together = new Barrier(count);
        Thread[] threads = [.. Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            together.SignalAndWait();
            action(i);
        }))];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
    }
}
