using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Remote.Serialization;
using Akka.Serialization;

namespace Crashcart.Actors.Protocol;

/// <summary>
/// Stands where Akka's serializer of its various messages would: passes the question whether an actor is there, and its
/// answer, and throws at the others, by which a peer could kill an actor, or hand over a configuration or a remote router.
/// </summary>
public sealed class IdentitySerializer(ExtendedActorSystem system) : SerializerWithStringManifest(system)
{
    private readonly MiscMessageSerializer _akkas = new(system);

    /// <summary>That of the serializer whose place it takes.</summary>
    public override int Identifier => _akkas.Identifier;

    /// <exception cref="SerializationException">It is about something else than an actor's identity.</exception>
    public override string Manifest(object o)
    {
        Check(o);
        return _akkas.Manifest(o);
    }

    /// <exception cref="SerializationException">It is about something else than an actor's identity.</exception>
    public override byte[] ToBinary(object obj)
    {
        Check(obj);
        return _akkas.ToBinary(obj);
    }

    /// <exception cref="SerializationException">It is about something else than an actor's identity.</exception>
    public override object FromBinary(byte[] bytes, string manifest) => manifest is "ID" or "AID"
        ? _akkas.FromBinary(bytes, manifest)
        : throw new SerializationException($"What Akka calls '{manifest}' may not cross the wire.");

    private static void Check(object message)
    {
        if (message is not (Identify or ActorIdentity))
            throw new SerializationException($"{message.GetType()} may not cross the wire.");
    }
}
