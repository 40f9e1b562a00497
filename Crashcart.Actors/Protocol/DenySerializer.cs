using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Serialization;

namespace Crashcart.Actors.Protocol;

/// <summary>
/// Stands where Akka's JSON serializer would, which makes any type that a peer names. Both ways throw.
/// </summary>
public sealed class DenySerializer : Serializer
{
    public DenySerializer(ExtendedActorSystem system)
        : base(system)
    {
    }

    /// <summary>The constructor that Akka prefers for a serializer with settings.</summary>
    public DenySerializer(ExtendedActorSystem system, Config config)
        : base(system) => _ = config;

    /// <summary>That of the serializer whose place it takes.</summary>
    public override int Identifier => 1;

    public override bool IncludeManifest => true;

    public override byte[] ToBinary(object obj) => throw new SerializationException($"{obj.GetType()} may not cross the wire.");

    public override object FromBinary(byte[] bytes, Type type) => throw new SerializationException($"{type} may not cross the wire.");
}
