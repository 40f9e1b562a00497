using Akka.Actor;
using Akka.Cluster;
using Akka.TestKit.Xunit2;
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
        new ClusterSettings("127.0.0.1", 0, [role], []).ToConfig().WithFallback(DefaultConfig));

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
