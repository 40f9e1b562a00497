using System.Runtime.Serialization;
using Akka.Actor;
using Akka.TestKit.Xunit2;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Crashcart.Actors.Tests.Protocol;

public sealed class WireSerializerTests : TestKit
{
    private const string Renew = "CRASHCART_RENEW_GOLDEN";

    private readonly WireSerializer _serializer;

    public WireSerializerTests()
        : base("akka.loglevel = ERROR") => _serializer = new WireSerializer((ExtendedActorSystem)Sys);

    [Fact]
    public void Every_wire_message_survives_the_round_trip()
    {
        Assert.NotEmpty(FilledMessages.Types);
        Assert.All(FilledMessages.Types, type =>
        {
            IWireMessage message = FilledMessages.Create(type);

            object back = _serializer.FromBinary(_serializer.ToBinary(message), _serializer.Manifest(message));

            Assert.IsType(type, back);
            Assert.Equal(message, back);
        });
    }

    [Fact]
    public void Every_empty_wire_message_survives_the_round_trip() => Assert.All(FilledMessages.Types, type =>
    {
        object message = Activator.CreateInstance(type)!;

        Assert.Equal(message, _serializer.FromBinary(_serializer.ToBinary(message), _serializer.Manifest(message)));
    });

    [Fact]
    public void No_bytes_do_more_than_be_no_message()
    {
        var random = new Random(20261125);
        (string Manifest, byte[] Bytes)[] real =
            [.. FilledMessages.Types.Select(FilledMessages.Create).Select(message => (_serializer.Manifest(message), _serializer.ToBinary(message)))];
        for (int round = 0; round < 50_000; round++)
        {
            (string manifest, byte[] bytes) = real[random.Next(real.Length)];
            // One in four claims to be another message than it is.
            if (random.Next(4) == 0)
                manifest = real[random.Next(real.Length)].Manifest;
            byte[] sent = random.Next(8) == 0 ? new byte[random.Next(64)] : [.. bytes.Take(random.Next(4) == 0 ? random.Next(bytes.Length) : bytes.Length)];
            for (int change = random.Next(8); change > 0 && sent.Length > 0; change--)
                sent[random.Next(sent.Length)] = (byte)random.Next(256);
            try
            {
                Assert.IsType<IWireMessage>(_serializer.FromBinary(sent, manifest), exactMatch: false);
            }
            catch (InvalidProtocolBufferException)
            {
                // As it should be.
            }
        }
    }

    [Fact]
    public void Every_wire_message_has_a_manifest_of_its_own()
    {
        var manifests = FilledMessages.Types.Select(type => _serializer.Manifest(Activator.CreateInstance(type)!)).ToList();

        Assert.All(manifests, manifest => Assert.Matches("^[a-z]+(-[a-z]+)*$", manifest));
        Assert.Equal(manifests.Distinct(), manifests);
    }

    [Fact]
    public void The_bytes_of_wire_messages_are_those_of_the_golden_file()
    {
        string golden = Path.Combine(RepositoryRoot.Path, "tests/Crashcart.Actors.Tests/Protocol/wire.golden");
        string now = string.Concat(FilledMessages.Types.Select(FilledMessages.Create).Select(message =>
            $"{_serializer.Manifest(message)} {Convert.ToHexStringLower(_serializer.ToBinary(message))}\n"));
        // What is in the bytes of a message that is signed.
        now += $"(grant) {Convert.ToHexStringLower(FilledMessages.Create<Grant>().ToByteArray())}\n";
        if (Environment.GetEnvironmentVariable(Renew) == "1")
            File.WriteAllText(golden, now);

        Assert.True(
            File.ReadAllText(golden) == now,
            $"""
            The wire's messages have changed: processes of this version and of the last cannot be trusted to understand each other.
            If a field was renumbered, retyped or removed by mistake, put it back. If it is meant (a new field or message is), run
              {Renew}=1 dotnet test tests/Crashcart.Actors.Tests --filter {nameof(WireSerializerTests)}
            and commit {golden} with the change. Now they are
            {now}
            """);
    }

    [Fact]
    public void Every_message_of_the_protocol_is_a_wire_message_or_a_part_of_one()
    {
        var reached = new HashSet<MessageDescriptor>();
        foreach (Type type in FilledMessages.Types)
            Reach(((IMessage)Activator.CreateInstance(type)!).Descriptor, reached);

        reached.Add(Grant.Descriptor);
        Assert.Equal(WireReflection.Descriptor.MessageTypes.Concat(GrantReflection.Descriptor.MessageTypes).ToHashSet(), reached.Where(message => message.ContainingType is null).ToHashSet());
    }

    [Theory]
    [InlineData("")]
    [InlineData("no-such-message")]
    [InlineData("Describe-Node")]
    [InlineData("Crashcart.Actors.Protocol.DescribeNode, Crashcart.Actors")]
    [InlineData("System.Diagnostics.Process, System.Diagnostics.Process")]
    public void An_unknown_manifest_is_refused(string manifest)
    {
        var refusal = Assert.Throws<SerializationException>(() => _serializer.FromBinary([], manifest));

        Assert.Contains($"'{manifest}'", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text")]
    [InlineData(42)]
    public void What_is_no_wire_message_is_refused(object message)
    {
        Assert.Throws<SerializationException>(() => _serializer.Manifest(message));
        Assert.Throws<SerializationException>(() => _serializer.ToBinary(message));
    }

    [Fact]
    public void A_part_of_a_wire_message_is_none_itself() =>
        Assert.Throws<SerializationException>(() => _serializer.ToBinary(new ContainerDescription { Id = "a" }));

    [Fact]
    public void Broken_bytes_are_refused() =>
        Assert.Throws<InvalidProtocolBufferException>(() => _serializer.FromBinary([0xff], "start-session"));

    private static void Reach(MessageDescriptor message, HashSet<MessageDescriptor> reached)
    {
        if (!reached.Add(message))
            return;
        foreach (FieldDescriptor field in message.Fields.InFieldNumberOrder().Where(field => field.FieldType == FieldType.Message))
            Reach(field.MessageType, reached);
    }
}
