using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace Crashcart.Actors.Protocol;

/// <summary>
/// Stands where a serializer of Akka's would that makes what a peer names: any type, a remote actor. Both ways throw.
/// </summary>
public sealed class DenySerializer(ExtendedActorSystem system, Config settings) : Serializer(system)
{
    /// <summary>That of the serializer whose place it takes, from the settings of that one's name.</summary>
    public override int Identifier { get; } = settings.GetInt("identifier");

    public override bool IncludeManifest => false;

    /// <exception cref="SerializationException">Always.</exception>
    public override byte[] ToBinary(object obj) => throw new SerializationException($"{obj.GetType()} may not cross the wire.");

    /// <exception cref="SerializationException">Always.</exception>
    public override object FromBinary(byte[] bytes, Type type) =>
        throw new SerializationException($"What serializer {Identifier} wrote may not cross the wire.");
}
