namespace Crashcart.Native.Tests.Hostile;

/// <summary>A container that changes its /dev under Crashcart's hands, as fast as it can.</summary>
[Collection(TheHost.Name)]
public sealed class RaceTests
{
    // /dev is a directory of the container's root file system, which it can rename.
    private const string Setup = "umount -l dev/pts; umount -l dev; mkdir -p dev evil/crashcart/bin";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_session_runs_what_the_container_put_there_and_nothing_of_any_is_left(bool shared)
    {
        using var box = new Toolbox(setup: Setup, command: "exec /bin/swap >/tmp/report", program: "swap");
        Says(box, "started\n");
        string[] evil = Directory.GetFileSystemEntries(box.Container.Inside("/evil"), "*", SearchOption.AllDirectories);
        int ran = 0;
        for (int i = 0; i < 200; i++)
        {
            try
            {
                ToolResult result = await box.RunAsync(box.Spec("/dev/crashcart/bin/busybox", "echo", "ours") with { Shared = shared });
                Assert.Equal("ours\n", result.Output);
                ran++;
            }
            catch (CrashcartException e)
            {
                Assert.True(e.Reason is FailureReason.TargetHostile or FailureReason.ToolNotFound or FailureReason.Busy or FailureReason.System or FailureReason.ToolNotExecutable, e.ToString());
            }
        }
        File.WriteAllText(box.Container.Inside("/tmp/stop"), "");
        Says(box, "started\nstopped\n");
        // A shared mount that was hidden just when its session ended waits for whoever comes next.
        await SharedMount.DetachAsync(box.Target, force: true);
        Assert.InRange(ran, 1, 200);
        Assert.Equal(evil, Directory.GetFileSystemEntries(box.Container.Inside("/evil"), "*", SearchOption.AllDirectories));
        Assert.False(Directory.Exists("/dev/crashcart"));
        Assert.DoesNotContain(MountInfo.TryRead(box.Container.Pid)!, mount => mount.Source == box.Image.LoopDevice);
    }

    [Fact]
    public async Task A_mount_point_that_is_renamed_under_the_image_keeps_none()
    {
        using var box = new Toolbox(setup: Setup, command: "exec /bin/swap rename >/tmp/report", program: "swap");
        Says(box, "started\n");
        int attached = 0;
        // Chance decides who is first; in the end each has been.
        for (int i = 0; i < 40 || (attached == 0 && i < 1000); i++)
        {
            string said = "";
            try
            {
                await SharedMount.AttachAsync(box.Target, box.Image);
                attached++;
                Assert.True(await SharedMount.DetachAsync(box.Target));
            }
            catch (CrashcartException e)
            {
                Assert.True(e.Reason is FailureReason.TargetHostile or FailureReason.System, e.Message);
                said = e.Message;
            }
            // A rename that was under way for all that time is told, with the place, and is undone by whoever unmounts there.
            if (said.Contains("but at '/dev/away'", StringComparison.Ordinal))
                Shell.Run("nsenter", "--target", $"{box.Container.Pid}", "--mount", "/bin/busybox", "umount", "/dev/away");
            string left = string.Join("; ", MountInfo.TryRead(box.Container.Pid)!.Where(mount => mount.Source == box.Image.LoopDevice).Select(mount => mount.MountPoint));
            Assert.True(left.Length == 0, $"The image is at {left}: {said}");
        }
        Assert.InRange(attached, 1, 40);
    }

    [Fact]
    public async Task A_dev_that_is_exchanged_while_a_session_starts_is_noticed_before_the_tool_is_run()
    {
        // So much to bind that whoever waits for it has all the time in the world.
        const string Evil = """
            printf '#!/bin/busybox sh\necho evil\n' >evil/crashcart/bin/echo; chmod 755 evil/crashcart/bin/echo
            for i in $(seq 1000); do : >dev/$i; done
            """;
        using var box = new Toolbox(setup: $"{Setup}; {Evil}", command: "exec /bin/swap ambush >/tmp/report", program: "swap");
        Says(box, "started\n");
        CrashcartException e = await box.RefusedAsync(box.Spec("echo", "ours"));
        Says(box, "started\nsprung\n");
        Assert.Equal(FailureReason.TargetHostile, e.Reason);
        Assert.Contains("is not the toolbox any more", e.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(MountInfo.TryRead(box.Container.Pid)!, mount => mount.Source == box.Image.LoopDevice);
    }

    private static void Says(Toolbox box, string report) =>
        Eventually.Holds(() => ProcFile.TryRead(box.Container.Inside("/tmp/report")) == report, report);
}
