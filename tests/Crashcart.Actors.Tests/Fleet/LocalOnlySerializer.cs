using System.Collections.Concurrent;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Serialization;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>
/// Lets serialize-messages check our messages alone: those of Akka, which do not all survive it, are handed through as
/// they are, and one of ours that is neither a wire message nor marked as local is refused.
/// </summary>
public sealed class LocalOnlySerializer(ExtendedActorSystem system) : Serializer(system)
{
    private static readonly ConcurrentDictionary<Guid, object> InFlight = new();

    public override int Identifier => 4299;

    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj)
    {
        if (obj.GetType().FullName!.StartsWith("Crashcart.", StringComparison.Ordinal))
            throw new SerializationException($"{obj.GetType()} is neither a wire message nor marked as local.");
        var ticket = Guid.NewGuid();
        InFlight[ticket] = obj;
        return ticket.ToByteArray();
    }

    public override object FromBinary(byte[] bytes, Type type) => InFlight.TryRemove(new Guid(bytes), out object? obj)
        ? obj
        : throw new SerializationException("It was handed out already.");
}
