using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>What is left when parts of a fleet are killed: nothing, and the rest goes on.</summary>
public sealed class FleetFailureTests(FleetHost fleet) : IClassFixture<FleetHost>, IAsyncLifetime
{
    private static readonly TimeSpan LossPatience = TimeSpan.FromSeconds(10);

    public Task InitializeAsync() => Task.CompletedTask;

    /// <summary>Whatever a test killed is started again.</summary>
    public async Task DisposeAsync()
    {
        foreach (var daemon in (Daemon[])[.. fleet.Coordinators, .. fleet.Nodes.Select(node => node.Daemon)])
        {
            if (daemon.HasExited)
                daemon.Start();
        }
        await fleet.IsWhole();
    }

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

    private Task KillEverything(RunningCommand command)
    {
        command.Signal(LibC.SIGKILL);
        return Task.WhenAll([.. fleet.Nodes.Select(node => node.Daemon.Kill()), .. fleet.Coordinators.Select(coordinator => coordinator.Kill())]);
    }
}
