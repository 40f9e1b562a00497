using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>
/// What the fault campaign has found of shared mounts: a session's processes end or fail at one step, and the mount goes all
/// the same. The program is the campaign's, which has such steps.
/// </summary>
[Collection(OnLocalHost.Name)]
public sealed class MountFaultTests(LocalHost host) : HostTest
{
    [Theory]
    [InlineData("unmount-locked", "error")]
    [InlineData("enter-detach-joined", "error")]
    [InlineData("enter-detach-joined", "kill")]
    [InlineData("enter-detach-unmounted", "kill")]
    public async Task Detaching_is_tried_again_when_its_program_fails(string step, string action)
    {
        await using var box = await host.Docker.RunBusybox();
        var (mounts, dev) = (box.Mounts(), box.Dev());
        await using var faults = TemporaryDirectory.Create();

        (await Session(box, faults, step, action).Run()).Succeeded();

        AssertTaken(faults, step);
        Assert.Equal(mounts, box.Mounts());
        await Session(box).Output();
        Assert.Equal(dev, box.Dev());
    }

    [Fact]
    public async Task A_helper_that_is_killed_right_after_its_mount_leaves_no_mount()
    {
        await using var box = await host.Docker.RunBusybox();
        var (mounts, dev) = (box.Mounts(), box.Dev());
        await using var faults = TemporaryDirectory.Create();

        (await Session(box, faults, "enter-attach-mounted", "kill").Run()).Refused(125, "killed", "try again");

        AssertTaken(faults, "enter-attach-mounted");
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
    }

    [Theory]
    [InlineData("mount-locked", false)]
    [InlineData("mount-attached", true)]
    public async Task A_session_that_is_killed_while_it_mounts_leaves_a_mount_that_the_next_one_takes_away(string step, bool isMounted)
    {
        await using var box = await host.Docker.RunBusybox();
        var (mounts, dev) = (box.Mounts(), box.Dev());
        await using var faults = TemporaryDirectory.Create();

        (await Session(box, faults, step, "kill").Run()).Exited(128 + LibC.SIGKILL);

        AssertTaken(faults, step);
        Assert.Equal(isMounted ? 1 : 0, box.Mounts().Except(mounts).Count());
        await Session(box).Output();
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
    }

    /// <summary>A shared session in which nothing fails.</summary>
    private Command Session(Container box) => host.Crashcart("exec", "--shared", box.PidText, "--", "true");

    /// <summary>The same, by the program that fails at the step.</summary>
    private Command Session(Container box, TemporaryDirectory faults, string step, string action)
    {
        File.WriteAllText(faults[step], action);
        var session = Session(box);
        return session with
        {
            Program = Artifacts.FaultyCli,
            Environment = new Dictionary<string, string?>(session.Environment) { ["CRASHCART_FAULTS"] = faults.Path },
        };
    }

    private static void AssertTaken(TemporaryDirectory faults, string step) => Assert.Single(Directory.GetFiles(faults.Path, $"taken-{step}-*"));
}
