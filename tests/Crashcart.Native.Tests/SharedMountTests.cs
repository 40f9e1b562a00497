using System.Diagnostics;

namespace Crashcart.Native.Tests;

[Collection(TheHost.Name)]
public sealed class SharedMountTests
{
    [Fact]
    public async Task The_image_is_attached_for_everything_in_the_container_and_detached_without_a_trace()
    {
        using var box = new Toolbox();
        IReadOnlyList<string> before = box.Container.DevEntries();
        Assert.Null(SharedMount.Find(box.Target));
        SharedMount mount = await SharedMount.AttachAsync(box.Target, box.Image);
        Assert.Equal((box.Image.LoopDevice, box.ImagePath), (mount.LoopDevice, mount.BackingFile));
        Assert.True(File.Exists(box.Container.Inside("/dev/crashcart/bin/busybox")));
        MountInfo line = Assert.Single(MountInfo.TryRead(box.Container.Pid)!, line => line.Id == mount.MountId);
        Assert.Equal(("/dev/crashcart", "erofs"), (line.MountPoint, line.FileSystem));
        Assert.Empty(new[] { "ro", "nosuid", "nodev" }.Except(line.Options));
        Assert.Equal(mount, SharedMount.Find(box.Target));
        Assert.True(await SharedMount.DetachAsync(box.Target));
        Assert.Null(SharedMount.Find(box.Target));
        Assert.Equal(before, box.Container.DevEntries());
        Assert.Empty(Locks(box));
    }

    [Fact]
    public async Task The_mount_point_goes_with_the_mount_while_a_private_session_has_a_copy_of_it()
    {
        using var box = new Toolbox();
        IReadOnlyList<string> before = box.Container.DevEntries();
        await SharedMount.AttachAsync(box.Target, box.Image);
        await using ToolProcess tool = await box.StartAsync(box.Script("echo in; read word; ls /dev/crashcart/bin/busybox"));
        using var output = new StreamReader(tool.StandardOutput!);
        Assert.Equal("in", await output.ReadLineAsync());
        Assert.True(await SharedMount.DetachAsync(box.Target));
        Assert.Equal(before, box.Container.DevEntries());
        tool.StandardInput!.Dispose();
        Assert.Equal("/dev/crashcart/bin/busybox", await output.ReadLineAsync());
    }

    [Fact]
    public async Task Attaching_the_same_image_twice_is_one_mount()
    {
        using var box = new Toolbox();
        SharedMount first = await SharedMount.AttachAsync(box.Target, box.Image);
        using AttachedImage again = AttachedImage.Attach(box.ImagePath);
        Assert.Equal(first, await SharedMount.AttachAsync(box.Target, again));
        await SharedMount.DetachAsync(box.Target);
        Assert.False(await SharedMount.DetachAsync(box.Target));
    }

    [Fact]
    public async Task Defect_8_a_second_image_is_refused_and_the_first_one_stays()
    {
        using var box = new Toolbox();
        SharedMount first = await SharedMount.AttachAsync(box.Target, box.Image);
        using AttachedImage other = AttachedImage.Attach(box.MakeImage());
        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.AttachAsync(box.Target, other));
        Assert.Equal(FailureReason.Busy, e.Reason);
        Assert.Contains(box.ImagePath, e.Message, StringComparison.Ordinal);
        Assert.Equal(first, SharedMount.Find(box.Target));
        await SharedMount.DetachAsync(box.Target);
    }

    [Fact]
    public async Task A_process_that_uses_it_is_named_and_force_detaches_all_the_same()
    {
        using var box = new Toolbox();
        await SharedMount.AttachAsync(box.Target, box.Image);
        using Process user = Process.Start(
            new ProcessStartInfo("nsenter", ["--target", $"{box.Container.Pid}", "--mount", "--", "/dev/crashcart/bin/busybox", "sh", "-c", "echo in; exec /dev/crashcart/bin/busybox cat"])
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        Assert.Equal("in", user.StandardOutput.ReadLine());
        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.DetachAsync(box.Target));
        Assert.Equal(FailureReason.Busy, e.Reason);
        Assert.Contains($"{user.Id} (busybox)", e.Message, StringComparison.Ordinal);
        Assert.NotNull(SharedMount.Find(box.Target));
        Assert.True(await SharedMount.DetachAsync(box.Target, force: true));
        Assert.Null(SharedMount.Find(box.Target));
        user.StandardInput.Close();
        user.WaitForExit();
    }

    [Fact]
    public async Task Defect_1_a_link_at_the_mount_point_is_not_followed()
    {
        using var box = new Toolbox(setup: "mkdir evil; ln -s /evil dev/crashcart");
        CrashcartException e = await AttachRefusedAsync(box);
        Assert.Contains("is no plain directory", e.Message, StringComparison.Ordinal);
        // A private session does not even see it.
        Assert.Equal("/dev/crashcart/bin/busybox\n", (await box.RunAsync(box.Spec("readlink", "/proc/self/exe"))).Output);
        Assert.Empty(Directory.GetFileSystemEntries(box.Container.Inside("/evil")));
    }

    [Theory]
    [InlineData(": > dev/crashcart", "is no plain directory")]
    [InlineData("mkdir dev/crashcart; mount -t tmpfs other dev/crashcart", "Something that is not Crashcart's is mounted")]
    [InlineData("umount -l dev; rmdir dev; ln -s tmp dev", "/dev in the container of process")]
    [InlineData("umount -l dev; rmdir dev", "There is no /dev directory")]
    [InlineData("mount --make-shared dev", "propagates to others")]
    public async Task A_hostile_shape_is_refused_with_a_sentence_and_nothing_is_left(string setup, string sentence)
    {
        using var box = new Toolbox(setup: setup);
        CrashcartException e = await AttachRefusedAsync(box);
        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_lease_that_is_cancelled_while_it_is_taken_leaves_no_mount()
    {
        using var box = new Toolbox();
        IReadOnlyList<string> before = box.Container.DevEntries();
        for (int i = 0; i < 40; i++)
        {
            using var stop = new CancellationTokenSource(TimeSpan.FromMicroseconds(i * 150));
            try
            {
                await using SharedMountLease lease = await SharedMountLease.TakeAsync(box.Target, box.Image, stop.Token);
            }
            catch (OperationCanceledException e)
            {
                Assert.True(e.CancellationToken.IsCancellationRequested);
            }
            Assert.Null(SharedMount.Find(box.Target));
            Assert.Equal(before, box.Container.DevEntries());
            Assert.Empty(Locks(box));
        }
    }

    [Fact]
    public async Task A_lease_on_a_container_that_has_ended_leaves_no_lock_file()
    {
        using var box = new Toolbox();
        ulong space = FileIdentity.Of($"/proc/{box.Container.Pid}/ns/mnt")!.Value.Inode;
        box.Container.Kill();
        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMountLease.TakeAsync(box.Target, box.Image, CancellationToken.None));
        Assert.Equal(FailureReason.TargetGone, e.Reason);
        Assert.Empty(Directory.GetFiles("/run/crashcart", $"mounts-*-{space}.lock"));
    }

    [Fact]
    public async Task A_refused_attach_leaves_no_lock_file()
    {
        using var box = new Toolbox(setup: "ln -s /evil dev/crashcart");
        SharedMountPoint point = SharedMountPoint.Of(box.Target);
        await AttachRefusedAsync(box);
        Assert.False(File.Exists($"/run/crashcart/point-{point.DeviceMajor}-{point.DeviceMinor}.lock"));
    }

    [Fact]
    public async Task A_directory_that_is_there_already_is_used_and_a_foreign_mount_is_never_detached()
    {
        using var box = new Toolbox(setup: "mkdir dev/crashcart");
        await SharedMount.AttachAsync(box.Target, box.Image);
        Assert.True(await SharedMount.DetachAsync(box.Target));

        using var foreign = new Toolbox(setup: "mkdir dev/crashcart; mount -t tmpfs other dev/crashcart");
        Assert.False(await SharedMount.DetachAsync(foreign.Target, force: true));
        Assert.Contains(MountInfo.TryRead(foreign.Container.Pid)!, mount => mount.Source == "other");
    }

    [Fact]
    public async Task A_read_only_dev_takes_the_mount_and_stays_read_only()
    {
        using var box = new Toolbox(setup: "mount -o remount,bind,ro dev");
        IReadOnlyList<string> before = box.Container.DevEntries();
        await SharedMount.AttachAsync(box.Target, box.Image);
        Assert.True(File.Exists(box.Container.Inside("/dev/crashcart/bin/busybox")));
        Assert.Contains("ro", MountInfo.TryRead(box.Container.Pid)!.Single(mount => mount.MountPoint == "/dev").Options);
        await SharedMount.DetachAsync(box.Target);
        Assert.Equal(before, box.Container.DevEntries());
    }

    [Fact]
    public async Task A_user_namespace_takes_the_mount()
    {
        using var box = new Toolbox(userNamespace: true);
        await SharedMount.AttachAsync(box.Target, box.Image);
        Assert.True(File.Exists(box.Container.Inside("/dev/crashcart/bin/busybox")));
        await SharedMount.DetachAsync(box.Target);
        Assert.DoesNotContain("crashcart", box.Container.DevEntries());
    }

    [Fact]
    public async Task Killing_the_container_frees_the_mount_and_the_device()
    {
        using var box = new Toolbox();
        using var images = new ImageDirectory();
        using (AttachedImage image = AttachedImage.Attach(images.MakeErofs()))
            await SharedMount.AttachAsync(box.Target, image);
        Assert.Single(images.LoopDevices());
        box.Container.Kill();
        box.Target.Dispose();
        Eventually.Holds(() => images.LoopDevices().Count == 0, "the device is free");
    }

    [Fact]
    public async Task Defect_4_sessions_share_one_mount_and_the_last_one_detaches_it()
    {
        using var box = new Toolbox();
        ToolSpec Shared(string script) => box.Script(script) with { Shared = true };
        for (int round = 0; round < 10; round++)
        {
            ToolResult[] results = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => box.RunAsync(Shared($"readlink /proc/self/exe; exit {i}"))));
            Assert.Equal([0, 1, 2, 3, 4, 5], results.Select(result => result.Exit.Code));
            Assert.All(results, result => Assert.Equal("/dev/crashcart/bin/busybox\n", result.Output));
        }
        Assert.Null(SharedMount.Find(box.Target));
        Assert.DoesNotContain("crashcart", box.Container.DevEntries());
        Assert.Empty(Locks(box));
    }

    [Fact]
    public async Task The_mount_of_a_session_is_seen_by_the_container_while_it_lasts()
    {
        using var box = new Toolbox();
        await using ToolProcess tool = await box.StartAsync(box.Spec("cat") with { Shared = true });
        Assert.True(File.Exists(box.Container.Inside("/dev/crashcart/bin/busybox")));
        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.DetachAsync(box.Target));
        Assert.Equal(FailureReason.Busy, e.Reason);
        await tool.StandardInput!.DisposeAsync();
        Assert.Equal(0, (await tool.Exited).Code);
        Assert.Null(SharedMount.Find(box.Target));
    }

    [Fact]
    public async Task A_mount_that_a_person_made_is_not_a_sessions_to_detach()
    {
        using var box = new Toolbox();
        SharedMount mount = await SharedMount.AttachAsync(box.Target, box.Image);
        Assert.Equal(0, (await box.RunAsync(box.Spec("true") with { Shared = true })).Exit.Code);
        Assert.Equal(mount, SharedMount.Find(box.Target));
        Assert.Empty(Locks(box));
        await SharedMount.DetachAsync(box.Target);
    }

    [Fact]
    public async Task A_mount_that_a_person_asks_for_during_a_session_stays_after_it()
    {
        using var box = new Toolbox();
        ToolProcess tool = await box.StartAsync(box.Spec("cat") with { Shared = true });
        SharedMount mount = await SharedMount.AttachAsync(box.Target, box.Image);
        await tool.DisposeAsync();
        Assert.Equal(mount, SharedMount.Find(box.Target));
        Assert.True(await SharedMount.DetachAsync(box.Target));
        Assert.Empty(Locks(box));
    }

    [Fact]
    public async Task A_session_whose_mount_was_forced_away_ends_as_ever()
    {
        using var box = new Toolbox();
        await using ToolProcess tool = await box.StartAsync(box.Spec("cat") with { Shared = true });
        Assert.True(await SharedMount.DetachAsync(box.Target, force: true));
        await tool.StandardInput!.DisposeAsync();
        Assert.Equal(0, (await tool.Exited).Code);
        Assert.Empty(Locks(box));
    }

    [Fact]
    public async Task The_next_session_detaches_what_a_killed_one_left()
    {
        using var box = new Toolbox();
        using (Process client = ClientProgram.Start(
            "run", $"{box.Container.Pid}", box.ImagePath, box.Script("").SessionName, "shared", "echo started; sleep 100000"))
        {
            Assert.Equal("started", client.StandardOutput.ReadLine());
            client.KillNow();
        }
        Eventually.Holds(() => box.Cgroups().Count == 0, "the killed session has ended");
        Assert.Equal(0, (await box.RunAsync(box.Spec("true") with { Shared = true })).Exit.Code);
        Assert.Null(SharedMount.Find(box.Target));
        Assert.Empty(Locks(box));
    }

    [Fact]
    public async Task The_id_of_a_mount_is_known_before_it_is_mounted()
    {
        using var box = new Toolbox();
        int id = 0;
        using (Descriptor tree = box.Image.CloneTree())
            await SharedMountProgram.AttachAsync(box.Target, default, tree, () => WillMount(tree), CancellationToken.None);
        Assert.Equal(id, SharedMount.Find(box.Target)!.MountId);
        Assert.True(await SharedMount.DetachAsync(box.Target));

        void WillMount(Descriptor tree)
        {
            Assert.Null(SharedMount.Find(box.Target));
            id = MountInfo.IdOf(tree);
        }
    }

    [Fact]
    public async Task A_mount_that_a_session_could_not_detach_is_still_the_sessions_and_the_next_one_detaches_it()
    {
        using var box = new Toolbox();
        SharedMountLease lease = await SharedMountLease.TakeAsync(box.Target, box.Image, CancellationToken.None);
        string[] locks = Locks(box);
        SharedMountPoint point = SharedMountPoint.Of(box.Target);
        // No lock can be taken where a directory is: whatever is tried fails.
        string obstacle = Directory.CreateDirectory($"/run/crashcart/point-{point.DeviceMajor}-{point.DeviceMinor}.lock").FullName;
        await Assert.ThrowsAsync<SyscallException>(async () => await lease.DisposeAsync());
        Directory.Delete(obstacle);

        Assert.Equal($"{lease.MountId}", File.ReadAllText(Assert.Single(locks)));
        Assert.Equal(0, (await box.RunAsync(box.Spec("true") with { Shared = true })).Exit.Code);
        Assert.Null(SharedMount.Find(box.Target));
        Assert.Empty(Locks(box));
    }

    [Fact]
    public async Task A_session_in_a_container_that_ends_leaves_no_lock()
    {
        using var box = new Toolbox();
        await using ToolProcess tool = await box.StartAsync(box.Spec("cat") with { Shared = true });
        Assert.Single(Locks(box));
        string[] locks = Locks(box);
        box.Container.Kill();
        await tool.Exited;
        Assert.All(locks, path => Assert.False(File.Exists(path)));
    }

    private static async Task<CrashcartException> AttachRefusedAsync(Toolbox box)
    {
        string before = File.ReadAllText($"/proc/{box.Container.Pid}/mountinfo");
        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.AttachAsync(box.Target, box.Image));
        Assert.Equal(FailureReason.TargetHostile, e.Reason);
        Assert.Equal(before, File.ReadAllText($"/proc/{box.Container.Pid}/mountinfo"));
        Assert.Empty(Locks(box));
        return e;
    }

    private static string[] Locks(Toolbox box) =>
        Directory.GetFiles("/run/crashcart", $"mounts-*-{FileIdentity.Of($"/proc/{box.Container.Pid}/ns/mnt")!.Value.Inode}.lock");
}
