using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Remote.Serialization;
using Akka.Serialization;

namespace Crashcart.Actors.Protocol;

/// <summary>
/// Stands where Akka's serializer of system messages would: passes what death watch needs, and throws at the others, by
/// which a peer could stop, suspend or restart an actor, and have an exception made of any type that it names. Untrusted
/// mode lets them through.
/// </summary>
public sealed class DeathWatchSerializer(ExtendedActorSystem system) : Serializer(system)
{
    private static readonly Type[] Passed = [typeof(Watch), typeof(Unwatch), typeof(DeathWatchNotification)];

    private readonly SystemMessageSerializer _akkas = new(system);

    /// <summary>That of the serializer whose place it takes.</summary>
    public override int Identifier => _akkas.Identifier;

    public override bool IncludeManifest => _akkas.IncludeManifest;

    /// <exception cref="SerializationException">It is about something else than death watch.</exception>
    public override byte[] ToBinary(object obj)
    {
        Check(obj.GetType());
        return _akkas.ToBinary(obj);
    }

    /// <exception cref="SerializationException">It is about something else than death watch.</exception>
    public override object FromBinary(byte[] bytes, Type type)
    {
        Check(type);
        return _akkas.FromBinary(bytes, type);
    }

    private static void Check(Type type)
    {
        if (!Passed.Contains(type))
            throw new SerializationException($"{type} may not cross the wire.");
    }
}
