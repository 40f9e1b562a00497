using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>
/// What the specs of the coordinator's actors share: a cluster of one process, which is coordinator and node, under the
/// settings that are shipped but in virtual time; a probe plays the node.
/// </summary>
public abstract class FleetSpec : TestKit
{
    private static readonly string[] BothRoles = [ClusterSettings.NodeRole, ClusterSettings.CoordinatorRole];

    private readonly List<ActorSystem> _strangers = [];

    protected FleetSpec()
        : base(Settings("127.0.0.1"), ClusterSettings.SystemName)
    {
        Node = CreateTestProbe("the-node");
        Index = CreateTestProbe("the-index");
        Sys.ActorOf(Props.Create(() => new NodeDouble(Node.Ref, Index.Ref)), "node");
        Self = Join(Sys);
    }

    /// <summary>Gets what is sent to /user/node.</summary>
    internal TestProbe Node { get; }

    /// <summary>Gets the questions for the node's index in its place.</summary>
    internal TestProbe Index { get; }

    /// <summary>This process as a member.</summary>
    internal Member Self { get; }

    /// <summary>A member at another address, at which nobody answers.</summary>
    internal Member Stranger(string host, params string[] roles) => Join(StrangeSystem(host, roles));

    /// <summary>As <see cref="Stranger"/>, and it is not up yet.</summary>
    internal Member Newcomer(string host, params string[] roles) =>
        First<ClusterEvent.MemberJoined>(StrangeSystem(host, roles, "akka.cluster.min-nr-of-members = 2")).Member;

    /// <summary>It knows the node by its name.</summary>
    internal IActorRef StartFleet(string node)
    {
        IActorRef fleet = Sys.ActorOf(FleetActor.Props(), "fleet");
        Describe();
        // What it answered has arrived when the next question is answered.
        fleet.Tell(new FleetQuery.ListNodes());
        Describe();
        ExpectMsg<FleetQuery.Nodes>();
        return fleet;

        void Describe()
        {
            DescribeNode describe = Node.ExpectMsg<DescribeNode>();
            Node.Reply(new NodeDescribed { CorrelationId = describe.CorrelationId, Node = node });
        }
    }

    internal static ContainerDescription Container(string id, string? name = null) => new() { Id = id, Name = name ?? id };

    internal static RunTarget Target(Member node, string name) => new($"name-of-{node.Address.Host}", node.Address, Container($"id-of-{name}", name));

    protected void Advance(TimeSpan time) => ((TestScheduler)Sys.Scheduler).Advance(time);

    protected override void AfterAll()
    {
        base.AfterAll();
        Task.WaitAll([.. _strangers.Select(stranger => stranger.Terminate())]);
    }

    private static Config Settings(string host, params string[] roles) => ConfigurationFactory.ParseString("""
        akka {
          scheduler.implementation = "Akka.TestKit.TestScheduler, Akka.TestKit"
          actor {
            serialize-messages = on
            serializers.local = "Crashcart.Actors.Tests.Fleet.LocalOnlySerializer, Crashcart.Actors.Tests"
            serialization-bindings { "System.Object" = local }
            serialization-settings.allow-unregistered-types = on
          }
          # Leaving a cluster in order takes time, which does not pass here by itself.
          coordinated-shutdown.run-by-actor-system-terminate = off
          # What is still on its way to a stranger never arrives.
          remote.flush-wait-on-shutdown = 1ms
          loglevel = ERROR
          loggers = ["Akka.TestKit.TestEventListener, Akka.TestKit"]
        }
        """).WithFallback(new ClusterSettings(host, Port: null, roles.Length > 0 ? roles : BothRoles, Seeds: []).ToConfig());

    private ActorSystem StrangeSystem(string host, string[] roles, string settings = "")
    {
        ActorSystem system = ActorSystem.Create(
            ClusterSettings.SystemName, ConfigurationFactory.ParseString(settings).WithFallback(Settings(host, roles)));
        _strangers.Add(system);
        return system;
    }

    private static Member Join(ActorSystem system) => First<ClusterEvent.MemberUp>(system).Member;

    /// <summary>The first such event after it has joined a cluster of its own.</summary>
    private static T First<T>(ActorSystem system)
    {
        var cluster = Cluster.Get(system);
        var events = new TestProbe(system, new XunitAssertions());
        cluster.Subscribe(events, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(T));
        cluster.Join(cluster.SelfAddress);
        return events.ExpectMsg<T>();
    }

    private sealed class NodeDouble : ReceiveActor
    {
        public NodeDouble(IActorRef node, IActorRef index)
        {
            Receive<IndexContainers>(index.Forward);
            ReceiveAny(node.Forward);
        }
    }
}
