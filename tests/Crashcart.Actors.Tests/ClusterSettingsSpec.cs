using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.Remote;
using Akka.Remote.Transport;
using Akka.TestKit.Xunit2;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Xunit.Abstractions;

namespace Crashcart.Actors.Tests;

/// <summary>Two real actor systems on loopback, configured as the daemons are.</summary>
public sealed class ClusterSettingsSpec(ITestOutputHelper output) : TestKit(Start(ClusterSettings.CoordinatorRole), output)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_wire_message_reaches_the_node_and_its_answer_comes_back()
    {
        await JoinAsync(async two =>
        {
            two.ActorOf(Props.Create(() => new Describer()), "node");
            Selection(two, "/user/node").Tell(new DescribeNode { CorrelationId = "7" }, TestActor);
            Assert.Equal("7", (await ExpectMsgAsync<NodeDescribed>(Patience)).CorrelationId);
        });
    }

    [Fact]
    public async Task A_remote_actor_that_stops_is_noticed_by_its_watcher()
    {
        await JoinAsync(async two =>
        {
            var watched = Sys.ActorOf(Props.Create(() => new Describer()), "watched");
            var watcher = two.ActorOf(Props.Create(() => new Watcher(TestActor)), "node");
            Selection(two, "/user/node").Tell(new DescribeNode { CorrelationId = "watch" }, watched);
            await ExpectMsgAsync<DescribeNode>(Patience);
            Sys.Stop(watched);
            await ExpectMsgAsync<EndSession>(Patience);
            Assert.False(watcher.IsNobody());
        });
    }

    [Fact]
    public async Task A_remote_actor_whose_process_is_lost_is_noticed_by_its_watcher()
    {
        await JoinAsync(async two =>
        {
            two.ActorOf(Props.Create(() => new Describer()), "node");
            Selection(two, "/user/node").Tell(new DescribeNode(), TestActor);
            await ExpectMsgAsync<NodeDescribed>(Patience);
            var watched = Watch(LastSender);

            await ((IRemoteActorRefProvider)((ExtendedActorSystem)Sys).Provider).Transport.ManagementCommand(
                new SetThrottle(Cluster.Get(two).SelfAddress, ThrottleTransportAdapter.Direction.Both, Blackhole.Instance));

            var terminated = await ExpectMsgAsync<Terminated>(Patience);
            Assert.Equal(watched, terminated.ActorRef);
            Assert.True(terminated.AddressTerminated);
        });
    }

    [Fact]
    public async Task The_fleet_asks_the_nodes_and_their_answers_come_back_to_it()
    {
        await JoinAsync(async two =>
        {
            two.ActorOf(Props.Create(() => new Describer()), "node");
            var fleet = Sys.ActorOf(FleetActor.Props(), "fleet");

            // It may be asked before it knows its first member.
            await AwaitConditionAsync(
                async () => (await fleet.Ask<FleetQuery.Nodes>(new FleetQuery.ListNodes(), Patience)).All is [{ Description: not null }],
                Patience);
        });
    }

    private ActorSelection Selection(ActorSystem other, string path) =>
        Sys.ActorSelection(new RootActorPath(Cluster.Get(other).SelfAddress) / path.Trim('/').Split('/'));

    private async Task JoinAsync(Func<ActorSystem, Task> test)
    {
        var other = Start(ClusterSettings.NodeRole);
        try
        {
            var cluster = Cluster.Get(Sys);
            cluster.Join(cluster.SelfAddress);
            Cluster.Get(other).Join(cluster.SelfAddress);
            await WithinMembersAsync(2);
            await test(other);
        }
        finally
        {
            await other.Terminate();
        }
    }

    private Task WithinMembersAsync(int count) => AwaitConditionAsync(
        () => Task.FromResult(Cluster.Get(Sys).State.Members.Count(m => m.Status == MemberStatus.Up) == count), Patience);

    private static ActorSystem Start(string role) => ActorSystem.Create(
        ClusterSettings.SystemName,
        ConfigurationFactory.ParseString("""
            # So that a test can cut the line.
            akka.remote.dot-netty.tcp.applied-adapters = [trttl]
            akka.cluster.failure-detector.acceptable-heartbeat-pause = 1s
            akka.coordinated-shutdown.run-by-actor-system-terminate = off
            crashcart.downing.stable-after = 1s
            """)
            .WithFallback(new ClusterSettings("127.0.0.1", 0, [role], []).ToConfig())
            .WithFallback(DefaultConfig));

    private sealed class Describer : ReceiveActor
    {
        public Describer() =>
            Receive<DescribeNode>(describe => Sender.Tell(new NodeDescribed { CorrelationId = describe.CorrelationId }));
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher(IActorRef told)
        {
            Receive<DescribeNode>(describe =>
            {
                Context.Watch(Sender);
                told.Tell(describe);
            });
            Receive<Terminated>(_ => told.Tell(new EndSession()));
        }
    }
}
