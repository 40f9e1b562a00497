using Akka.Actor;
using Akka.Cluster;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;

namespace Crashcart.Coordinator.Tests;

/// <summary>Several coordinators, and members that come and go.</summary>
public sealed class ClusterTests
{
    [Fact]
    public async Task Any_of_two_coordinators_serves_any_request()
    {
        await using var node = new PlayedNode("alpha", PlayedNode.Container("web-1"));
        await using var first = await TestCoordinator.StartAsync();
        await using var second = await TestCoordinator.StartAsync(TestCoordinator.Settings(first.ClusterAddress));
        await node.JoinAsync(first.ClusterAddress);

        foreach (var coordinator in new[] { first, second })
        {
            await coordinator.NodesAsync(nodes => nodes is [{ Name: "alpha", State: "up" }]);
            using var run = coordinator.Run(TestRun.In("web-1"));
            await run.StartedAsync();
            using var tool = await node.ToolAsync();
            await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
            await tool.ExitAsync(0);
            Assert.Equal(0, (await run.SessionEndedAsync()).ExitCode);
        }
    }

    [Fact]
    public async Task When_one_coordinator_stops_the_other_goes_on_with_the_nodes_and_it_may_come_back()
    {
        var (one, other) = Pair();
        await using var node = new PlayedNode("alpha", PlayedNode.Container("web-1"));
        await using var second = await TestCoordinator.StartAsync(other);
        var first = await TestCoordinator.StartAsync(one);
        await node.JoinAsync(second.ClusterAddress);
        await first.NodesAsync(nodes => nodes is [{ State: "up" }]);
        await first.StopAsync();

        await second.NodesAsync(nodes => nodes is [{ Name: "alpha", State: "up" }]);
        await using var again = await TestCoordinator.StartAsync(one);
        await again.NodesAsync(nodes => nodes is [{ Name: "alpha", State: "up" }]);
    }

    [Fact]
    public async Task A_node_that_dies_is_shown_as_unreachable_and_its_sessions_fail()
    {
        await using var node = new PlayedNode("alpha", PlayedNode.Container("web-1"));
        await using var coordinator = await TestCoordinator.StartAsync();
        await node.JoinAsync(coordinator.ClusterAddress);
        await coordinator.NodesAsync(nodes => nodes is [{ State: "up" }]);
        using var run = coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        // It has been asked for a session and has not dialled yet.
        await node.SessionAsync();
        await node.DieAsync();

        var nodes = await coordinator.NodesAsync(nodes => nodes is [{ State: "unreachable" }]);
        Assert.Equal("alpha", nodes[0].Name);
        Assert.NotEmpty(nodes[0].Problem);
        var failure = (await run.SessionEndedAsync()).Failure;
        Assert.Equal(125, failure.ExitCode);
        Assert.Contains("alpha", failure.Message);
        await coordinator.NodesAsync(nodes => nodes is []);
    }

    [Fact]
    public async Task A_coordinator_that_the_cluster_put_out_joins_it_again()
    {
        var (one, other) = Pair();
        await using var first = await TestCoordinator.StartAsync(one);
        await using var second = await TestCoordinator.StartAsync(other);
        await using var node = new PlayedNode("alpha", PlayedNode.Container("web-1"));
        await node.JoinAsync(first.ClusterAddress);
        await second.NodesAsync(nodes => nodes is [{ State: "up" }]);

        node.Member.Down(Address.Parse($"akka.tcp://crashcart@{second.ClusterAddress}"));
        await second.RefusedAsync();
        await second.NodesAsync(nodes => nodes is [{ Name: "alpha", State: "up" }]);
    }

    // Two that name each other.
    private static (Hosting.CoordinatorSettings One, Hosting.CoordinatorSettings Other) Pair()
    {
        var (one, other) = (TestCoordinator.Settings(), TestCoordinator.Settings());
        string[] seeds = [.. new[] { one.ClusterListen.ToString(), other.ClusterListen.ToString() }.Order(StringComparer.Ordinal)];
        return (one with { Seeds = seeds }, other with { Seeds = seeds });
    }
}
