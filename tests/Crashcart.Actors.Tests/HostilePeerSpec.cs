using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Crashcart.Actors.Protocol;
using Xunit.Abstractions;

namespace Crashcart.Actors.Tests;

/// <summary>
/// A daemon's actor system, and a peer on loopback that is configured as Akka is by default. What is refused leaves no
/// trace, so each test ends with a message that is not refused, on the same way: nothing may have come before it.
/// </summary>
public sealed class HostilePeerSpec : TestKit
{
    private readonly ActorSystem _peer = ActorSystem.Create("peer", ConfigurationFactory.ParseString("""
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          coordinated-shutdown.exit-clr = off
          actor {
            provider = remote
            serializers.crashcart = "Crashcart.Actors.Protocol.WireSerializer, Crashcart.Actors"
            serialization-bindings { "Google.Protobuf.IMessage, Google.Protobuf" = crashcart }
          }
          remote.dot-netty.tcp {
            hostname = 127.0.0.1
            port = 0
          }
        }
        """));

    private readonly IActorRef _node;

    public HostilePeerSpec(ITestOutputHelper output)
        : base(Daemon(), output) => _node = Sys.ActorOf(Props.Create(() => new Listener(TestActor)), "node");

    [Fact]
    public void A_wire_message_is_taken_on_a_trusted_path()
    {
        Select("/user/node").Tell(new StartSession { SessionId = "1" });

        Assert.Equal("1", ExpectMsg<StartSession>().SessionId);
    }

    [Theory]
    [MemberData(nameof(Foreign))]
    public void What_is_no_wire_message_is_not_taken(object message)
    {
        Select("/user/node").Tell(message);

        ExpectNothingButASelection();
    }

    [Theory]
    [MemberData(nameof(Foreign))]
    public void What_is_no_wire_message_is_not_sent(object message)
    {
        var heard = CreateTestProbe(_peer);
        IActorRef remote = Resolve(Sys, _peer, heard.Ref.Path);

        remote.Tell(message);
        remote.Tell(new EndSession { SessionId = "last" });

        Assert.Equal("last", heard.ExpectMsg<EndSession>().SessionId);
    }

    [Fact]
    public void No_object_is_made_of_a_type_that_the_peer_names()
    {
        Select("/user/node").Tell(new Canary { Song = "tweet" });

        ExpectNothingButASelection();
        Assert.False(Canary.Sang);
    }

    [Fact]
    public void No_actor_is_deployed_by_a_peer()
    {
        _peer.ActorOf(Props.Create(() => new CanaryActor(TestActor)).WithDeploy(new Deploy(new RemoteScope(AddressOf(Sys)))), "canary");

        ExpectNothingButASelection();
    }

    [Fact]
    public void A_selection_by_pattern_is_not_trusted()
    {
        Select("/user/nod*").Tell(new DescribeNode());
        Select("/user/*").Tell(new DescribeNode());

        ExpectNothingButASelection();
    }

    [Fact]
    public void A_trusted_path_does_not_make_those_below_it_trusted()
    {
        Select("/user/node/child").Tell(new DescribeNode());

        Resolve(_peer, Sys, _node.Path / "child").Tell(new EndSession { SessionId = "last" });
        Assert.Equal("last", ExpectMsg<EndSession>().SessionId);
    }

    [Fact]
    public void A_path_that_is_not_trusted_is_not_selected()
    {
        IActorRef other = Sys.ActorOf(Props.Create(() => new Listener(TestActor)), "other");
        Select("/user/other").Tell(new DescribeNode());

        Resolve(_peer, Sys, other.Path).Tell(new EndSession { SessionId = "last" });
        Assert.Equal("last", ExpectMsg<EndSession>().SessionId);
    }

    [Theory]
    [MemberData(nameof(Deadly))]
    public void An_actor_does_not_die_of_what_a_peer_sends(object message)
    {
        Watch(_node);

        Select("/user/node").Tell(message);
        Resolve(_peer, Sys, _node.Path).Tell(message);

        ExpectNothingButASelection();
    }

    [Fact]
    public void An_actor_is_not_stopped_by_a_peer()
    {
        Watch(_node);
        var remote = (IInternalActorRef)Resolve(_peer, Sys, _node.Path);

        remote.Suspend();
        remote.Restart(new TimeoutException());
        remote.Stop();

        ExpectNothingButASelection();
    }

    public static TheoryData<object> Foreign => [
        "text",
        42,
        new byte[] { 1, 2, 3 },
        new RunId("run-1")];

    public static TheoryData<object> Deadly => [PoisonPill.Instance, Kill.Instance, ReceiveTimeout.Instance];

    protected override void AfterAll()
    {
        _peer.Terminate().Wait();
        base.AfterAll();
    }

    private static ActorSystem Daemon() => ActorSystem.Create(
        ClusterSettings.SystemName,
        new ClusterSettings("127.0.0.1", 0, [ClusterSettings.NodeRole], []).ToConfig().WithFallback(DefaultConfig));

    private static Address AddressOf(ActorSystem system) => ((ExtendedActorSystem)system).Provider.DefaultAddress;

    private static IActorRef Resolve(ActorSystem from, ActorSystem at, ActorPath path) =>
        ((ExtendedActorSystem)from).Provider.ResolveActorRef(path.ToStringWithAddress(AddressOf(at)));

    private ActorSelection Select(string path) => _peer.ActorSelection($"{AddressOf(Sys)}{path}");

    private void ExpectNothingButASelection()
    {
        Select("/user/node").Tell(new EndSession { SessionId = "last" });
        // A system message that was refused is repeated for a while, and holds up what follows.
        Assert.Equal("last", ExpectMsg<EndSession>(TimeSpan.FromSeconds(20)).SessionId);
    }

    /// <summary>Of a type that a default Akka makes for whoever names it.</summary>
    public sealed class Canary
    {
        public static bool Sang { get; private set; }

        public string Song
        {
            get;
            set
            {
                field = value;
                if (Sent)
                    Sang = true;
                Sent = true;
            }
        } = "";

        private static bool Sent { get; set; }
    }

    private sealed class CanaryActor : ReceiveActor
    {
        public CanaryActor(IActorRef told) => told.Tell("tweet");
    }

    private sealed class Listener : ReceiveActor
    {
        public Listener(IActorRef told)
        {
            ReceiveAny(told.Tell);
            if (Self.Path.Name != "child")
                Context.ActorOf(Props.Create(() => new Listener(told)), "child");
        }
    }
}
