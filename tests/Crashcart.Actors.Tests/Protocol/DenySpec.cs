using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Remote.Serialization;
using Akka.Routing;
using Akka.TestKit.Xunit2;
using Crashcart.Actors.Protocol;
using Google.Protobuf.WellKnownTypes;
using Xunit.Abstractions;

namespace Crashcart.Actors.Tests.Protocol;

/// <summary>What the serializers of a daemon's actor system write and read.</summary>
public sealed class DenySpec(ITestOutputHelper output) : TestKit(Settings, "deny", output)
{
    private static readonly Config Settings =
        new ClusterSettings("127.0.0.1", 0, [ClusterSettings.NodeRole], []).ToConfig();

    /// <summary>A peer that is configured as Akka is by default.</summary>
    private readonly ActorSystem _peer = ActorSystem.Create("peer", ConfigurationFactory.ParseString("""
        akka {
          loglevel = OFF
          stdout-loglevel = OFF
          actor.provider = remote
          remote.dot-netty.tcp {
            hostname = 127.0.0.1
            port = 0
          }
        }
        """));

    [Fact]
    public void Wire_messages_are_written_by_their_own_serializer() =>
        Assert.IsType<WireSerializer>(Sys.Serialization.FindSerializerFor(new StartSession()));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(17)]
    [InlineData(36)]
    public void Serializers_that_a_peer_could_name_read_nothing(int serializer)
    {
        var manifest = typeof(Timestamp).AssemblyQualifiedName!;
        Assert.Throws<SerializationException>(() => Sys.Serialization.Deserialize([123, 125], serializer, manifest));
    }

    [Fact]
    public void An_actor_may_be_asked_whether_it_is_there_and_answer()
    {
        Assert.Null(Assert.IsType<Identify>(ThereAndBack(new Identify(null))).MessageId);
        Assert.Equal(TestActor, Assert.IsType<ActorIdentity>(ThereAndBack(new ActorIdentity(null, TestActor))).Subject);
    }

    [Fact]
    public void A_question_whether_an_actor_is_there_carries_nothing_else() => AssertNotWritten(new Identify("text"));

    [Theory]
    [MemberData(nameof(Various))]
    public void The_others_of_Akkas_various_messages_are_refused_by_name(object message)
    {
        var (bytes, manifest) = AsAkkaWrites(message);

        Assert.Contains(message.GetType().Name, AssertNotWritten(message).Message, StringComparison.Ordinal);
        var refusal = Assert.Throws<SerializationException>(() => Sys.Serialization.Deserialize(bytes, 16, manifest));
        Assert.Contains($"'{manifest}'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reference_to_an_actor_is_not_written_by_itself() => AssertNotWritten(TestActor);

    [Fact]
    public void A_record_is_not_written() => AssertNotWritten(new RunId("1"));

    [Fact]
    public void A_string_is_not_written() => AssertNotWritten("text");

    [Fact]
    public void A_protobuf_message_that_is_no_wire_message_is_not_written() => AssertNotWritten(new Timestamp());

    [Fact]
    public void A_part_of_a_wire_message_is_not_read_as_one()
    {
        var bytes = Array.Empty<byte>();
        Assert.Throws<SerializationException>(() => Sys.Serialization.Deserialize(bytes, 4201, "runtime-status"));
    }

    public static TheoryData<object> Various => [
        PoisonPill.Instance,
        Kill.Instance,
        new Status.Success("done"),
        new Status.Failure(new TimeoutException()),
        new RemoteScope(Address.Parse("akka.tcp://crashcart@127.0.0.1:1")),
        ConfigurationFactory.ParseString("a = 1"),
        new RoundRobinPool(3),
        new FromConfig()];

    protected override void AfterAll()
    {
        _peer.Terminate().Wait();
        base.AfterAll();
    }

    private (byte[] Bytes, string Manifest) AsAkkaWrites(object message)
    {
        var akkas = new MiscMessageSerializer((ExtendedActorSystem)_peer);
        return (akkas.ToBinary(message), akkas.Manifest(message));
    }

    private object ThereAndBack(object message)
    {
        var serializer = Assert.IsType<IdentitySerializer>(Sys.Serialization.FindSerializerFor(message));
        return Sys.Serialization.Deserialize(serializer.ToBinary(message), 16, serializer.Manifest(message));
    }

    private SerializationException AssertNotWritten(object message) =>
        Assert.Throws<SerializationException>(() => Sys.Serialization.FindSerializerFor(message).ToBinary(message));
}
