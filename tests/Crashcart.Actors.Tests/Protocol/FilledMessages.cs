using System.Collections;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
using Google.Protobuf.Reflection;

namespace Crashcart.Actors.Tests.Protocol;

/// <summary>Wire messages in which no field has its default, always the same.</summary>
internal static class FilledMessages
{
    public static IReadOnlyList<Type> Types { get; } =
        [.. typeof(IWireMessage).Assembly.GetTypes()
            .Where(type => type.IsClass && type.IsAssignableTo(typeof(IWireMessage)))
            .OrderBy(type => type.Name, StringComparer.Ordinal)];

    public static IWireMessage Create(Type type) => (IWireMessage)Fill((IMessage)Activator.CreateInstance(type)!);

    public static T Create<T>()
        where T : IMessage, new() => (T)Fill(new T());

    private static IMessage Fill(IMessage message)
    {
        foreach (FieldDescriptor field in message.Descriptor.Fields.InFieldNumberOrder())
        {
            if (field.IsMap)
                FillMap((IDictionary)field.Accessor.GetValue(message), field.MessageType);
            else if (field.IsRepeated)
                FillList((IList)field.Accessor.GetValue(message), field);
            else
                field.Accessor.SetValue(message, Value(field, ordinal: 1));
        }
        return message;
    }

    private static void FillMap(IDictionary map, MessageDescriptor entry)
    {
        for (int ordinal = 1; ordinal <= 2; ordinal++)
            map.Add(Value(entry.FindFieldByNumber(1), ordinal), Value(entry.FindFieldByNumber(2), ordinal));
    }

    private static void FillList(IList list, FieldDescriptor field)
    {
        for (int ordinal = 1; ordinal <= 2; ordinal++)
            list.Add(Value(field, ordinal));
    }

    private static object Value(FieldDescriptor field, int ordinal) => field.FieldType switch
    {
        FieldType.String => $"{field.Name} {ordinal} é",
        FieldType.Bytes => ByteString.CopyFrom(0x00, 0xff, (byte)field.FieldNumber, (byte)ordinal),
        FieldType.Bool => true,
        FieldType.Int32 => -1000 * field.FieldNumber - ordinal,
        FieldType.UInt32 => uint.MaxValue - (uint)(field.FieldNumber + ordinal),
        FieldType.Int64 => (1L << 40) + field.FieldNumber + ordinal,
        FieldType.Fixed64 => ulong.MaxValue - (ulong)(field.FieldNumber + ordinal),
        FieldType.Message => Fill(field.MessageType.Parser.ParseFrom(ByteString.Empty)),
        _ => throw new NotSupportedException($"No value is known here for {field.FullName}, which is of type {field.FieldType}: add one."),
    };
}
