using System.Collections;
using System.Runtime.CompilerServices;
using System.Text;
using Akka.Actor;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Crashcart.Actors.Tests.Protocol;

public sealed class WireMessageTests : IDisposable
{
    private readonly ActorSystem _system = ActorSystem.Create("wire");
    private readonly WireSerializer _serializer;

    public WireMessageTests() => _serializer = new WireSerializer((ExtendedActorSystem)_system);

    public static TheoryData<string> Names => [.. Messages.Select(message => message.Name)];

    private static IEnumerable<MessageDescriptor> Messages =>
        WireReflection.Descriptor.MessageTypes.Where(message => typeof(IWireMessage).IsAssignableFrom(message.ClrType));

    [Theory]
    [MemberData(nameof(Names))]
    public void Round_trips(string name)
    {
        var message = Filled(Messages.Single(m => m.Name == name));
        Assert.Equal(message, _serializer.FromBinary(_serializer.ToBinary(message), _serializer.Manifest(message)));
    }

    [Fact]
    public void Has_the_bytes_that_other_versions_know()
    {
        var actual = new StringBuilder();
        foreach (var message in Messages.OrderBy(m => m.Name, StringComparer.Ordinal).Select(Filled))
            actual.Append(_serializer.Manifest(message)).Append(' ').Append(Convert.ToHexStringLower(_serializer.ToBinary(message))).Append('\n');

        Assert.Equal(File.ReadAllText(GoldenFile()), actual.ToString());
    }

    [Fact]
    public void Every_request_and_answer_of_the_protocol_is_one_or_a_part_of_one()
    {
        var reachable = new HashSet<MessageDescriptor>();
        foreach (var message in Messages)
            Collect(message, reachable);
        Assert.Equal(WireReflection.Descriptor.MessageTypes.ToHashSet(), reachable.Where(m => m.ContainingType is null).ToHashSet());
    }

    public void Dispose() => _system.Dispose();

    private static void Collect(MessageDescriptor message, HashSet<MessageDescriptor> into)
    {
        if (!into.Add(message))
            return;
        foreach (var field in message.Fields.InFieldNumberOrder().Where(f => f.FieldType == FieldType.Message))
            Collect(field.MessageType, into);
    }

    // Every field gets a value that is not its default and tells its number.
    private static IMessage Filled(MessageDescriptor descriptor)
    {
        var message = descriptor.Parser.ParseFrom(Array.Empty<byte>());
        foreach (var field in descriptor.Fields.InFieldNumberOrder())
            Fill(message, field);
        return message;
    }

    private static void Fill(IMessage message, FieldDescriptor field)
    {
        if (field.IsMap)
            ((IDictionary)field.Accessor.GetValue(message)).Add("key", "value");
        else if (field.IsRepeated)
            ((IList)field.Accessor.GetValue(message)).Add(Value(field));
        else
            field.Accessor.SetValue(message, Value(field));
    }

    private static object Value(FieldDescriptor field) => field.FieldType switch
    {
        FieldType.String => $"text {field.FieldNumber}",
        FieldType.Bytes => ByteString.CopyFrom(0, 255, (byte)field.FieldNumber),
        FieldType.Bool => true,
        FieldType.Int32 => -field.FieldNumber,
        FieldType.UInt32 => (uint)field.FieldNumber,
        FieldType.Int64 => long.MaxValue - field.FieldNumber,
        FieldType.Message => Filled(field.MessageType),
        _ => throw new NotSupportedException($"Give {field.FullName} a value here."),
    };

    private static string GoldenFile([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "golden-wire-messages.txt");
}
