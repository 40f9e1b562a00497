using System.Runtime.Serialization;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Crashcart.Actors.Protocol;
using Google.Protobuf.WellKnownTypes;
using Xunit.Abstractions;

namespace Crashcart.Actors.Tests.Protocol;

/// <summary>What the serializers of a daemon's actor system write and read.</summary>
public sealed class DenySpec(ITestOutputHelper output) : TestKit(Settings, "deny", output)
{
    private static readonly Akka.Configuration.Config Settings =
        new ClusterSettings("127.0.0.1", 0, [ClusterSettings.NodeRole], []).ToConfig();

    [Fact]
    public void Wire_messages_are_written_by_their_own_serializer() =>
        Assert.IsType<WireSerializer>(Sys.Serialization.FindSerializerFor(new StartSession()));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(36)]
    public void Serializers_that_a_peer_could_name_read_nothing(int serializer)
    {
        var manifest = typeof(Timestamp).AssemblyQualifiedName!;
        Assert.Throws<SerializationException>(() => Sys.Serialization.Deserialize([123, 125], serializer, manifest));
    }

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

    private void AssertNotWritten(object message) =>
        Assert.Throws<SerializationException>(() => Sys.Serialization.FindSerializerFor(message).ToBinary(message));
}
