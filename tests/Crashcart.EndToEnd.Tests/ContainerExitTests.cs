using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>What becomes of sessions and mounts when a container, or its dockerd, ends or pauses.</summary>
public abstract class ContainerExitTests(FleetHost fleet, string label)
{
    protected FleetHost Fleet => fleet;

    protected DockerDaemon Docker => fleet.Nodes[0].Docker;

    /// <summary>A container with a mount that a person holds, in which a tool runs.</summary>
    internal async Task<(Container Box, RunningCommand Run)> Start(string tool)
    {
        var box = await Docker.RunBusybox("--label", $"app={label}");
        await fleet.Sees(1, $"app={label}");
        (await fleet.Crashcart("mount", $"alpha/{box.Name}").Run()).Succeeded();
        var run = fleet.Crashcart(["exec", $"alpha/{box.Name}", .. tool.Split(' ')]).Start();
        await HostProcess.Appears(tool);
        return (box, run);
    }

    /// <summary>Neither a loop device nor a lease nor a session of before is left.</summary>
    protected async Task NothingIsHeld()
    {
        await Eventually.Holds(() => !HostState.LoopDevicesOf(fleet.Image).Any(), "the loop device is free", TimeSpan.FromSeconds(1));
        await fleet.Lists(Mounts(), mounts => mounts.Length == 0);
        await fleet.Lists(fleet.Crashcart("sessions", "-o", "json"), sessions => sessions.Length == 0);
    }

    // Others' containers on this host may have mounts, too.
    internal Command Mounts() => fleet.Crashcart("mounts", "-l", $"app={label}", "-o", "json");

    protected async Task ToolRunsIn(string container) =>
        Assert.Equal("here", await fleet.Crashcart("exec", $"alpha/{container}", "echo", "here").Output());
}

/// <summary>With a dockerd whose containers outlive it.</summary>
public sealed class LiveRestoreExitTests(OneNodeHost fleet) : ContainerExitTests(fleet, "live"), IClassFixture<OneNodeHost>
{
    [Theory]
    [InlineData("kill")]
    [InlineData("stop", "-t", "0")]
    [InlineData("restart", "-t", "0")]
    [InlineData("rm", "-f")]
    public async Task Tool_ends_with_its_container_and_nothing_is_held(params string[] verb)
    {
        var (box, run) = await Start("sleep 86310");
        await using (box)
        await using (run)
        {
            await Docker.Docker([.. verb, box.Id]).Output();

            (await run.Result()).Exited(128 + LibC.SIGKILL);
            await NothingIsHeld();
            if (verb[0] == "restart")
                await ToolRunsIn(box.Name);
        }
    }

    [Fact]
    public async Task Container_that_is_paused_keeps_its_sessions_and_takes_new_ones()
    {
        var (box, run) = await Start("sleep 86311");
        await using (box)
        await using (run)
        {
            await box.Docker("pause");
            await ToolRunsIn(box.Name);
            await box.Docker("unpause");

            Assert.False(run.HasExited);
            await box.Docker("kill");
            (await run.Result()).Exited(128 + LibC.SIGKILL);
            await NothingIsHeld();
        }
    }

    [Fact]
    public async Task Sessions_and_mounts_go_on_while_dockerd_is_away_and_after_it_came_back()
    {
        var (box, run) = await Start("sleep 86312");
        await using (box)
        await using (run)
        {
            await Docker.StopDaemon();
            Assert.True(HostProcess.Exists(box.Pid), "With live-restore a container outlives its daemon.");
            Assert.Single(HostState.LoopDevicesOf(Fleet.Image));
            await Docker.StartDaemon();

            await Fleet.Sees(1, "app=live");
            Assert.False(run.HasExited);
            Assert.Single(FleetHost.Json(await Mounts().Run()));
            await Eventually.Holds(
                async () => (await Fleet.Crashcart("exec", $"alpha/{box.Name}", "true").Run()).ExitCode == 0, "a tool runs in the container again");
            await box.Docker("kill");
            (await run.Result()).Exited(128 + LibC.SIGKILL);
            await NothingIsHeld();
        }
    }

    [Fact]
    public async Task Container_that_ended_and_began_again_without_a_word_of_dockerd_is_another_one()
    {
        var (box, run) = await Start("sleep 86313");
        await using (box)
        await using (run)
        {
            await Docker.StopDaemon();
            await new Command("kill", "-9", box.PidText).Output();
            (await run.Result()).Exited(128 + LibC.SIGKILL);
            await Docker.StartDaemon();
            await box.Docker("start");

            await Fleet.Sees(1, "app=live");
            await NothingIsHeld();
            await Eventually.Holds(
                async () => (await Fleet.Crashcart("exec", $"alpha/{box.Name}", "true").Run()).ExitCode == 0, "a tool runs in its new process");
        }
    }
}

/// <summary>With a dockerd that ends its containers when it stops, as it does by default.</summary>
public sealed class DockerdExitTests(PlainHost fleet) : ContainerExitTests(fleet, "plain"), IClassFixture<PlainHost>
{
    [Fact]
    public async Task Containers_that_end_with_dockerd_leave_nothing_and_the_node_finds_it_again()
    {
        var (box, run) = await Start("sleep 86314");
        await using (box)
        await using (run)
        {
            await Docker.StopDaemon();
            await Docker.StartDaemon();
            await Eventually.Holds(() => !HostProcess.Exists(box.Pid), "the container has ended");

            (await run.Result()).Exited(128 + LibC.SIGKILL);
            await Fleet.Sees(0, "app=plain");
            await NothingIsHeld();
            await box.Docker("start");
            await Fleet.Sees(1, "app=plain");
            await ToolRunsIn(box.Name);
        }
    }
}

/// <summary>A fleet of one node, with a dockerd as it is by default.</summary>
public sealed class PlainHost() : FleetHost(["alpha"], coordinators: 1);
