using Akka.Actor;

namespace Crashcart.Coordinator.Hosting;

/// <summary>Where the gRPC services find the fleet's actor, which is another one after each restart of the actor system.</summary>
internal sealed class FleetGate
{
    private volatile IActorRef? _actor;
    private volatile IActorRef? _images;
    private volatile string _streamEndpoint = "";

    /// <summary>Null while the coordinator is in no cluster.</summary>
    public IActorRef? Actor
    {
        get => _actor is { } actor && !actor.IsNobody() ? actor : null;
        set => _actor = value;
    }

    /// <summary>The actor of the fleet's images; null while the coordinator is in no cluster.</summary>
    public IActorRef? Images
    {
        get => _images is { } actor && !actor.IsNobody() ? actor : null;
        set => _images = value;
    }

    /// <summary>Where nodes dial the streams of sessions; known once the listener is bound.</summary>
    public string StreamEndpoint() => _streamEndpoint;

    public void Announce(string streamEndpoint) => _streamEndpoint = streamEndpoint;
}
