using System.Diagnostics;

namespace Crashcart.Native.Tests.Hostile;

/// <summary>What a container mounts or moves after the image has come.</summary>
public sealed class OvermountTests
{
    [Fact]
    public async Task Unmount_says_what_covers_the_image_and_takes_only_the_image()
    {
        using var box = new Toolbox();
        SharedMount mount = await SharedMount.AttachAsync(box.Target, box.Image);
        Inside(box, "mount", "-t", "tmpfs", "other", "/dev/crashcart");
        Assert.Contains("covered by something of the container's, 'other' (tmpfs) at /dev/crashcart", await RefusedAsync(box), StringComparison.Ordinal);
        Inside(box, "umount", "/dev/crashcart");
        Inside(box, "mount", "-t", "tmpfs", "over", "/dev");
        Assert.Contains("'over' (tmpfs) at /dev: unmount that first", await RefusedAsync(box), StringComparison.Ordinal);
        Assert.Contains(MountInfo.TryRead(box.Container.Pid)!, other => other.Id == mount.MountId);
        Assert.Contains(MountInfo.TryRead(box.Container.Pid)!, other => other.Source == "over");
        Inside(box, "umount", "/dev");
        Assert.True(await SharedMount.DetachAsync(box.Target));
        Assert.DoesNotContain("crashcart", box.Container.DevEntries());
    }

    [Fact]
    public async Task Unmount_says_where_the_container_has_moved_the_image()
    {
        using var box = new Toolbox();
        await SharedMount.AttachAsync(box.Target, box.Image);
        Inside(box, "mount", "--move", "/dev/crashcart", "/tmp");
        Assert.Contains("not at /dev/crashcart but at '/tmp'", await RefusedAsync(box), StringComparison.Ordinal);
        Inside(box, "umount", "/tmp");
        Assert.False(await SharedMount.DetachAsync(box.Target));
    }

    [Fact]
    public async Task What_covers_the_image_just_after_it_was_looked_for_is_not_unmounted_in_its_place()
    {
        using var box = new Toolbox();
        SharedMount mount = await SharedMount.AttachAsync(box.Target, box.Image);
        Inside(box, "mount", "-t", "tmpfs", "other", "/dev/crashcart");
        // From here on as if nothing had been there a moment ago.
        Assert.False(await SharedMountProgram.DetachAsync(box.Target, mount, lazily: true, CancellationToken.None));
        Assert.Contains(MountInfo.TryRead(box.Container.Pid)!, other => other.Source == "other");
        Inside(box, "umount", "/dev/crashcart");
        Assert.True(await SharedMount.DetachAsync(box.Target));
    }

    [Fact]
    public async Task A_session_whose_shared_mount_is_covered_ends_and_the_next_one_detaches_it()
    {
        using var box = new Toolbox();
        await using (ToolProcess tool = await box.StartAsync(box.Spec("cat") with { Shared = true }))
        {
            Inside(box, "mount", "-t", "tmpfs", "other", "/dev/crashcart");
            await tool.StandardInput!.DisposeAsync();
            Assert.Equal(0, (await tool.Exited).Code);
        }
        Assert.Contains("covered", await RefusedAsync(box), StringComparison.Ordinal);
        Inside(box, "umount", "/dev/crashcart");
        Assert.Equal(0, (await box.RunAsync(box.Spec("true") with { Shared = true })).Exit.Code);
        Assert.Null(SharedMount.Find(box.Target));
    }

    [Fact]
    public async Task A_session_does_not_see_what_the_container_mounts_over_the_image_meanwhile()
    {
        // Shared with a peer, as in a container whose runtime says so: there mounts reach the session's copy.
        using var box = new Toolbox();
        Inside(box, "mount", "--make-rshared", "/");
        ToolSpec spec = box.Script("cat; for i in 1 2 3; do readlink /proc/self/exe; done; ls /tmp");
        await using ToolProcess tool = await box.StartAsync(spec);
        foreach (string over in (string[])["/dev", "/dev", "/tmp"])
            Inside(box, "mount", "-t", "tmpfs", "other", over);
        Inside(box, "mkdir", "/dev/crashcart", "/tmp/theirs");
        Inside(box, "mount", "-t", "tmpfs", "other", "/dev/crashcart");
        await tool.StandardInput!.DisposeAsync();
        string image = "/dev/crashcart/bin/busybox\n";
        Assert.Equal($"{image}{image}{image}theirs\n", await Toolbox.ReadAsync(tool.StandardOutput!));
        Assert.Equal(0, (await tool.Exited).Code);
    }

    [Fact]
    public async Task Nothing_propagates_out_of_a_session_and_a_mount_that_would_is_refused()
    {
        using var box = new Toolbox();
        Inside(box, "mount", "--make-rshared", "/");
        using Process peer = Process.Start(
            new ProcessStartInfo("nsenter", ["--target", $"{box.Container.Pid}", "--mount", "/bin/busybox", "unshare", "--mount", "--propagation", "shared", "/bin/busybox", "cat"])
            {
                RedirectStandardInput = true,
            })!;
        Eventually.Holds(() => ProcFile.TryRead($"/proc/{peer.Id}/cmdline") == "/bin/busybox\0cat\0", "the peer has its mounts");
        (string, string) Seen() => (File.ReadAllText($"/proc/{box.Container.Pid}/mountinfo"), File.ReadAllText($"/proc/{peer.Id}/mountinfo"));
        (string, string) before = Seen();
        await using (ToolProcess tool = await box.StartAsync(box.Spec("cat")))
        {
            Assert.Equal(before, Seen());
            Assert.DoesNotContain(MountInfo.ReadOwn(), mount => mount.Source == box.Image.LoopDevice);
        }
        CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.AttachAsync(box.Target, box.Image));
        Assert.Contains("propagates to others", e.Message, StringComparison.Ordinal);
        Assert.Equal(before, Seen());
        peer.StandardInput.Close();
        peer.WaitForExit();
    }

    private static async Task<string> RefusedAsync(Toolbox box)
    {
        foreach (bool force in (bool[])[false, true])
        {
            CrashcartException e = await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.DetachAsync(box.Target, force));
            Assert.Equal(FailureReason.TargetHostile, e.Reason);
        }
        return (await Assert.ThrowsAsync<CrashcartException>(() => SharedMount.DetachAsync(box.Target))).Message;
    }

    /// <summary>An applet of the container's busybox in its mount namespace: the container's own root could do the same.</summary>
    private static void Inside(Toolbox box, string program, params string[] arguments) =>
        Shell.Run("nsenter", ["--target", $"{box.Container.Pid}", "--mount", "/bin/busybox", program, .. arguments]);
}
