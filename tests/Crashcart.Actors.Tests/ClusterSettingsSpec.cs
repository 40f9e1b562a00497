using System.Buffers.Binary;
using System.Net.Sockets;
using Akka.Actor;
using Akka.Cluster;
using Akka.Configuration;
using Akka.Remote;
using Akka.Remote.Transport;
using Akka.TestKit.Xunit2;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
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

    /// <summary>As a process leaves one that dials a peer at the moment when that begins anew.</summary>
    [Fact]
    public async Task A_connection_that_its_peer_has_forgotten_does_not_cut_the_two_off()
    {
        await JoinAsync(async two =>
        {
            two.ActorOf(Props.Create(() => new Describer()), "node");
            using var forgotten = await AssociateAsync(Cluster.Get(Sys).SelfUniqueAddress, Cluster.Get(two).SelfAddress);

            var asked = 0;
            await AwaitAssertAsync(
                async () =>
                {
                    var id = $"{++asked}";
                    Selection(two, "/user/node").Tell(new DescribeNode { CorrelationId = id }, TestActor);
                    await FishForMessageAsync<NodeDescribed>(answer => answer.CorrelationId == id, TimeSpan.FromSeconds(1));
                },
                Patience);
        });
    }

    /// <summary>Says to be that system, is answered, and says nothing more.</summary>
    private static async Task<TcpClient> AssociateAsync(UniqueAddress self, Address other)
    {
        var client = new TcpClient(other.Host, other.Port!.Value);
        var origin = Encoded(message =>
        {
            Text(message, 1, self.Address.System);
            Text(message, 2, self.Address.Host);
            message.WriteTag(3, WireFormat.WireType.Varint);
            message.WriteUInt32((uint)self.Address.Port!.Value);
            Text(message, 4, self.Address.Protocol["akka.".Length..]);
        });
        var handshake = Encoded(message =>
        {
            Nested(message, 1, origin);
            message.WriteTag(2, WireFormat.WireType.Fixed64);
            message.WriteFixed64((ulong)self.Uid);
        });
        var associate = Encoded(message => Nested(message, 2, Encoded(control =>
        {
            control.WriteTag(1, WireFormat.WireType.Varint);
            control.WriteEnum(1);
            Nested(control, 2, handshake);
        })));
        var frame = new byte[4 + associate.Length];
        BinaryPrimitives.WriteInt32LittleEndian(frame, associate.Length);
        associate.CopyTo(frame, 4);
        await client.GetStream().WriteAsync(frame);
        await client.GetStream().ReadExactlyAsync(new byte[4]).AsTask().WaitAsync(Patience);
        return client;
    }

    private static byte[] Encoded(Action<CodedOutputStream> write)
    {
        using var bytes = new MemoryStream();
        using (var message = new CodedOutputStream(bytes, leaveOpen: true))
            write(message);
        return bytes.ToArray();
    }

    private static void Text(CodedOutputStream message, int field, string text)
    {
        message.WriteTag(field, WireFormat.WireType.LengthDelimited);
        message.WriteString(text);
    }

    private static void Nested(CodedOutputStream message, int field, byte[] bytes)
    {
        message.WriteTag(field, WireFormat.WireType.LengthDelimited);
        message.WriteBytes(ByteString.CopyFrom(bytes));
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
