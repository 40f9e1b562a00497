using Akka.Actor;
using Akka.Cluster;
using Akka.TestKit.Xunit2;
using Xunit.Abstractions;

namespace Crashcart.Actors.Tests.Downing;

/// <summary>Real actor systems on loopback, of which some die. A member that dies says nothing to the others.</summary>
public sealed class CoordinatorDowningSpec(ITestOutputHelper output) : TestKit(Start(ClusterSettings.CoordinatorRole), output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task The_first_coordinator_dies_and_the_other_keeps_the_nodes()
    {
        var first = Start(ClusterSettings.CoordinatorRole);
        var node = Start(ClusterSettings.NodeRole);
        await JoinAsync(first, Sys, node);
        await first.Terminate();

        await AwaitMembersAsync(Sys, 2);
        await AwaitMembersAsync(node, 2);
        Assert.False(node.WhenTerminated.IsCompleted);
        await node.Terminate();
    }

    [Fact]
    public async Task Most_nodes_die_and_the_coordinator_stays()
    {
        var nodes = new[] { Start(ClusterSettings.NodeRole), Start(ClusterSettings.NodeRole), Start(ClusterSettings.NodeRole) };
        await JoinAsync([Sys, .. nodes]);
        await Task.WhenAll(nodes[0].Terminate(), nodes[1].Terminate());

        await AwaitMembersAsync(Sys, 2);
        Assert.False(Sys.WhenTerminated.IsCompleted || nodes[2].WhenTerminated.IsCompleted);
        await nodes[2].Terminate();
    }

    [Fact]
    public async Task The_only_coordinator_dies_and_the_nodes_end_to_join_again()
    {
        var only = Start(ClusterSettings.CoordinatorRole);
        var nodes = new[] { Start(ClusterSettings.NodeRole), Start(ClusterSettings.NodeRole) };
        await JoinAsync([only, .. nodes]);
        await only.Terminate();

        await Task.WhenAll(nodes.Select(node => node.WhenTerminated)).WaitAsync(Patience);
    }

    [Fact]
    public async Task The_only_coordinator_leaves_in_order_and_the_nodes_end_to_join_again()
    {
        var only = Start(ClusterSettings.CoordinatorRole);
        var node = Start(ClusterSettings.NodeRole);
        await JoinAsync(only, node);
        await CoordinatedShutdown.Get(only).Run(CoordinatedShutdown.ClrExitReason.Instance);

        await node.WhenTerminated.WaitAsync(Patience);
    }

    [Fact]
    public async Task Who_was_welcomed_and_never_becomes_a_member_ends_to_join_again()
    {
        // As if it had died right after its welcome: it tells nobody of whom it welcomed, and lets nobody up.
        var welcomes = Start(ClusterSettings.CoordinatorRole, "akka.cluster { gossip-interval = 1h, leader-actions-interval = 1h }");
        Cluster.Get(welcomes).Join(Cluster.Get(welcomes).SelfAddress);
        await AwaitMembersAsync(welcomes, 1);

        var node = Start(ClusterSettings.NodeRole, "crashcart.downing.join-within = 2s");
        Cluster.Get(node).Join(Cluster.Get(welcomes).SelfAddress);

        await node.WhenTerminated.WaitAsync(Patience);
        await welcomes.Terminate();
    }

    private async Task JoinAsync(params ActorSystem[] systems)
    {
        foreach (var system in systems)
            Cluster.Get(system).Join(Cluster.Get(systems[0]).SelfAddress);
        foreach (var system in systems)
            await AwaitMembersAsync(system, systems.Length);
    }

    private Task AwaitMembersAsync(ActorSystem system, int count) => AwaitConditionAsync(
        () => Task.FromResult(Cluster.Get(system).State.Members.Count(member => member.Status == MemberStatus.Up) == count), Patience);

    private static ActorSystem Start(string role, string special = "") => ActorSystem.Create(
        ClusterSettings.SystemName,
        Akka.Configuration.ConfigurationFactory.ParseString($$"""
            {{special}}
            akka.coordinated-shutdown.run-by-actor-system-terminate = off
            akka.cluster.failure-detector.acceptable-heartbeat-pause = 1s
            crashcart.downing.stable-after = 1s
            """)
            .WithFallback(new ClusterSettings("127.0.0.1", 0, [role], []).ToConfig())
            .WithFallback(DefaultConfig));
}
