using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>What is left when parts of a fleet are killed: nothing, and the rest goes on.</summary>
public sealed class FleetFailureTests(FleetHost fleet) : IClassFixture<FleetHost>, IAsyncLifetime
{
    private static readonly TimeSpan LossPatience = TimeSpan.FromSeconds(10);

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => fleet.Restore();

    [Fact]
    public async Task Killed_command_line_takes_its_sessions_with_it()
    {
        await using var run = await FleetSessions.Start(fleet, "killed-cli", "sleep 86379");
        run.Command.Signal(LibC.SIGKILL);
        await run.NothingIsLeft(LossPatience);
    }

    [Fact]
    public async Task Killed_node_takes_its_sessions_with_it_and_the_others_go_on()
    {
        await using var run = await FleetSessions.Start(fleet, "killed-node", "sleep 86378");
        await fleet.Nodes[0].Daemon.Kill();
        await Eventually.Holds(() => HostProcess.Find("sleep 86378").Length == 1, "only the other node's tool runs", LossPatience);
        Assert.False(run.Command.HasExited);
        run.Command.Signal(LibC.SIGINT);
        var result = await run.Command.Result();
        result.Exited(125);
        Assert.Contains("alpha", result.Error, StringComparison.Ordinal);
        await run.NothingIsLeft(LossPatience);
    }

    [Fact]
    public async Task Killed_coordinator_takes_its_runs_with_it_and_the_other_serves()
    {
        await using var run = await FleetSessions.Start(fleet, "killed-coordinator", "sleep 86377");
        await fleet.Coordinators[0].Kill();
        (await run.Command.Result()).Exited(125);
        await run.NothingIsLeft(LossPatience);
        Assert.Equal(run.OnBeta.Id[..12], await fleet.Crashcart(1, "exec", $"beta/{run.OnBeta.Name}", "hostname").Output());
    }

    [Fact]
    public async Task Everything_killed_at_once_leaves_nothing()
    {
        await using var run = await FleetSessions.Start(fleet, "killed-all", "sleep 86376");
        await KillEverything(run.Command);
        await run.NothingIsLeft(LossPatience);
    }

    [Fact]
    public async Task Containers_killed_after_everything_else_free_the_loop_device_within_a_second()
    {
        await using var run = await FleetSessions.Start(fleet, "killed-last", "sleep 86375");
        foreach (var box in (Container[])[run.OnAlpha, run.OnBeta])
            (await fleet.Crashcart("mount", box.PidText).Run()).Succeeded();
        await KillEverything(run.Command);
        await HostProcess.Disappears("sleep 86375", LossPatience);
        Assert.Single(HostState.LoopDevicesOf(fleet.Image));
        await Task.WhenAll(run.OnAlpha.Docker("kill"), run.OnBeta.Docker("kill"));
        await Eventually.Holds(() => !HostState.LoopDevicesOf(fleet.Image).Any(), "the loop device is free", TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Node_that_is_asked_to_end_ends_its_sessions_first()
    {
        await using var run = await FleetSessions.Start(fleet, "stopped-node", "sleep 86374");
        await fleet.Nodes[0].Daemon.Stop();
        Assert.Single(HostProcess.Find("sleep 86374"));
        run.Command.Signal(LibC.SIGINT);
        var result = await run.Command.Result();
        result.Exited(1);
        Assert.Contains("alpha", result.Error, StringComparison.Ordinal);
        await run.NothingIsLeft(LossPatience);
    }

    [Fact]
    public async Task Nodes_outlive_the_loss_of_every_coordinator_and_so_do_mounts_that_people_made()
    {
        await using var run = await FleetSessions.Start(fleet, "no-coordinator", "sleep 86373");
        (await fleet.Crashcart("mount", run.OnAlpha.PidText).Run()).Succeeded();
        int[] nodes = [.. fleet.Nodes.Select(node => node.Daemon.Pid)];
        await Task.WhenAll(fleet.Coordinators.Select(coordinator => coordinator.Kill()));
        await HostProcess.Disappears("sleep 86373", LossPatience);

        foreach (var coordinator in fleet.Coordinators)
            coordinator.Start();
        await fleet.IsWhole();
        Assert.All(nodes, pid => Assert.True(HostProcess.Exists(pid)));
        Assert.Equal("crashcart-on-top", await run.OnAlpha.Exec("/dev/crashcart/bin/echo", "crashcart-on-top").Output());
        (await fleet.Crashcart("unmount", run.OnAlpha.PidText).Run()).Succeeded();
        await run.NothingIsLeft(LossPatience);
    }

    [Fact]
    public async Task Node_that_is_killed_and_started_at_once_is_one_node_again()
    {
        await using var box = await fleet.Nodes[0].Docker.RunScratch("--label", "app=restarted");
        await fleet.Sees(1, "app=restarted");
        await fleet.Nodes[0].Daemon.Kill();
        fleet.Nodes[0].Daemon.Start();
        await Eventually.Holds(
            async () => (await fleet.Crashcart("exec", $"alpha/{box.Name}", "true").Run()).ExitCode == 0,
            () => $"the new process runs tools; {fleet.Logs()}");
        await Task.WhenAll(fleet.ListsNodes(0, "alpha=up beta=up"), fleet.ListsNodes(1, "alpha=up beta=up"));
    }

    [Fact]
    public async Task Node_that_is_asked_to_end_lets_tools_end_and_takes_no_more()
    {
        await using var box = await fleet.Nodes[0].Docker.RunScratch("--label", "app=draining");
        await fleet.Sees(1, "app=draining");
        await using var session = fleet.Crashcart(
            "exec", $"alpha/{box.Name}", "bash", "-c", "trap '' HUP; trap 'read line; echo $line; exit 7' TERM; echo ready; while :; do sleep 0.1; done").Start();
        await session.Says("ready");
        fleet.Nodes[0].Daemon.Signal(LibC.SIGTERM);

        await fleet.ListsNodes(0, "alpha=draining beta=up");
        var refused = await fleet.Crashcart("exec", $"alpha/{box.Name}", "true").Run();
        refused.Exited(125);
        Assert.Contains("stopping and takes no sessions", refused.Error, StringComparison.Ordinal);
        await session.Write("bye\n");
        var result = await session.Result();
        result.Exited(7);
        Assert.Equal("ready\nbye\n", result.Output);
        (await fleet.Nodes[0].Daemon.Result()).Exited(0);
        await fleet.ListsNodes(0, "beta=up", LossPatience);
    }

    [Fact]
    public async Task Node_that_is_asked_to_end_twice_kills_its_tools_and_leaves_in_order()
    {
        await using var box = await fleet.Nodes[0].Docker.RunScratch("--label", "app=hurried");
        await fleet.Sees(1, "app=hurried");
        await using var session = fleet.Crashcart("exec", $"alpha/{box.Name}", "bash", "-c", "trap '' HUP TERM; echo ready; while :; do sleep 0.1; done").Start();
        await session.Says("ready");
        fleet.Nodes[0].Daemon.Signal(LibC.SIGTERM);
        await fleet.ListsNodes(0, "alpha=draining beta=up");
        fleet.Nodes[0].Daemon.Signal(LibC.SIGTERM);

        (await session.Result()).Exited(128 + LibC.SIGKILL);
        (await fleet.Nodes[0].Daemon.Result()).Exited(0);
        await fleet.ListsNodes(0, "beta=up", LossPatience);
        Assert.False(HostState.LoopDevicesOf(fleet.Image).Any());
    }

    [Fact]
    public async Task Node_that_is_cordoned_takes_no_sessions_until_it_is_uncordoned()
    {
        await using var run = await FleetSessions.Start(fleet, "cordoned", "sleep 86372");
        Assert.Equal("", await fleet.Crashcart("cordon", "alpha").Output());
        await fleet.ListsNodes(1, "alpha=cordoned beta=up");
        Assert.Equal(2, HostProcess.Find("sleep 86372").Length);
        await fleet.Nodes[0].Daemon.Kill();
        fleet.Nodes[0].Daemon.Start();
        await fleet.ListsNodes(0, "alpha=cordoned beta=up");

        var refused = await fleet.Crashcart("exec", $"alpha/{run.OnAlpha.Name}", "true").Run();
        refused.Exited(125);
        Assert.Contains("'crashcart uncordon alpha'", refused.Error, StringComparison.Ordinal);
        Assert.Equal("", await fleet.Crashcart(1, "drain", "beta").Output());
        Assert.Empty(HostProcess.Find("sleep 86372"));
        foreach (var node in (string[])["alpha", "beta"])
            Assert.Equal("", await fleet.Crashcart("uncordon", node).Output());
        await fleet.IsWhole();
        await run.NothingIsLeft(LossPatience);
        (await fleet.Crashcart("cordon", "gamma").Run()).Exited(125);
    }

    private Task KillEverything(RunningCommand command)
    {
        command.Signal(LibC.SIGKILL);
        return Task.WhenAll([.. fleet.Nodes.Select(node => node.Daemon.Kill()), .. fleet.Coordinators.Select(coordinator => coordinator.Kill())]);
    }
}
