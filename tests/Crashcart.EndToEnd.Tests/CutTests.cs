using System.Diagnostics;
using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Two coordinators and two nodes whose network can be cut.</summary>
public sealed class PartedFleet() : FleetHost(["alpha", "beta"], coordinators: 2, isParted: true);

/// <summary>A fleet whose network is cut, or one of whose processes is stopped for a while, and what it is like afterwards.</summary>
public sealed class CutTests(PartedFleet fleet) : IClassFixture<PartedFleet>, IAsyncLifetime
{
    /// <summary>By then every loss is told, and nothing of what was lost is left.</summary>
    private static readonly TimeSpan LossPatience = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan HealPatience = TimeSpan.FromSeconds(40);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await fleet.Network.Heal();
        foreach (var node in fleet.Nodes)
            node.Daemon.Signal(LibC.SIGCONT);
        await fleet.IsWhole();
    }

    [Fact]
    public async Task Fleet_that_was_cut_in_two_is_one_again_after_the_cut()
    {
        await using var run = await FleetSessions.Start(fleet, "halves", "sleep 86369");
        await fleet.Network.Cut([FleetHost.NameOf(0), "alpha"], [FleetHost.NameOf(1), "beta"]);

        await run.Tells("beta", LossPatience);
        await Eventually.Holds(() => HostProcess.Find("sleep 86369").Length == 1, "the tool behind the cut is gone", LossPatience);
        Assert.False(run.Command.HasExited);
        await Task.WhenAll(Lists(0, "alpha=up"), Lists(1, "beta=up"));
        Assert.Equal(run.OnBeta.Id[..12], await fleet.Crashcart(1, "exec", $"beta/{run.OnBeta.Name}", "hostname").Output());

        await fleet.Network.Heal();
        await Task.WhenAll(Lists(0, "alpha=up beta=up"), Lists(1, "alpha=up beta=up"));
        Assert.Single(HostProcess.Find("sleep 86369"));
        await run.IsInterrupted();
        await run.NothingIsLeft(LossPatience);
    }

    [Fact]
    public async Task Node_that_hears_no_coordinator_is_lost_and_comes_back()
    {
        await using var run = await FleetSessions.Start(fleet, "deaf", "sleep 86368");
        await Task.WhenAll(fleet.Network.CutOneWay(FleetHost.NameOf(0), "alpha"), fleet.Network.CutOneWay(FleetHost.NameOf(1), "alpha"));

        await run.Tells("alpha", LossPatience);
        await Eventually.Holds(() => HostProcess.Find("sleep 86368").Length == 1, "the tool on the deaf node is gone", LossPatience);
        await Lists(0, "beta=up");

        await fleet.Network.Heal();
        await Lists(0, "alpha=up beta=up");
        await run.IsInterrupted();
        await run.NothingIsLeft(LossPatience);
    }

    [Fact]
    public async Task Node_that_was_stopped_until_the_fleet_gave_it_up_comes_back_by_itself()
    {
        await using var run = await FleetSessions.Start(fleet, "stopped", "sleep 86367");
        var pid = fleet.Nodes[0].Daemon.Pid;
        using (HostProcess.Pause(pid))
        {
            await run.Tells("alpha", LossPatience);
            await Task.WhenAll(Lists(0, "beta=up"), Lists(1, "beta=up"));
        }

        await Task.WhenAll(Lists(0, "alpha=up beta=up"), Lists(1, "alpha=up beta=up"));
        Assert.Equal(pid, fleet.Nodes[0].Daemon.Pid);
        await Eventually.Holds(() => HostProcess.Find("sleep 86367").Length == 1, "the tool on the node that was stopped is gone", LossPatience);
        await run.IsInterrupted();
        await run.NothingIsLeft(LossPatience);
    }

    private Task Lists(int coordinator, string expected) => fleet.ListsNodes(coordinator, expected, HealPatience);
}
