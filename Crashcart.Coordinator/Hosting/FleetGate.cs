using Akka.Actor;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Hosting;

/// <summary>Where the gRPC services find the fleet's actors, which are others after each restart of the actor system.</summary>
internal sealed class FleetGate
{
    private volatile IActorRef? _actor;
    private volatile IActorRef? _images;
    private volatile IActorRef? _recordings;
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

    /// <summary>The actor of the fleet's recordings; null while the coordinator is in no cluster.</summary>
    public IActorRef? Recordings
    {
        get => _recordings is { } actor && !actor.IsNobody() ? actor : null;
        set => _recordings = value;
    }

    /// <summary>Where nodes dial the streams of sessions; known once the listener is bound.</summary>
    public string StreamEndpoint() => _streamEndpoint;

    public void Announce(string streamEndpoint) => _streamEndpoint = streamEndpoint;

    /// <inheritdoc cref="Ask{T}"/>
    public Task<T> AskFleet<T>(object question, TimeSpan patience, CancellationToken cancellation) => Ask<T>(Actor, question, patience, cancellation);

    /// <inheritdoc cref="Ask{T}"/>
    public Task<T> AskImages<T>(object question, TimeSpan patience, CancellationToken cancellation) => Ask<T>(Images, question, patience, cancellation);

    /// <inheritdoc cref="Ask{T}"/>
    public Task<T> AskRecordings<T>(object question, TimeSpan patience, CancellationToken cancellation) => Ask<T>(Recordings, question, patience, cancellation);

    /// <exception cref="RpcException">The coordinator is in no cluster, or its actors do not answer.</exception>
    private static async Task<T> Ask<T>(IActorRef? actor, object question, TimeSpan patience, CancellationToken cancellation)
    {
        if (actor is null)
            throw new RpcException(new Status(StatusCode.Unavailable, "The coordinator is joining the cluster; try again in a few seconds."));
        try
        {
            return await actor.Ask<T>(question, patience, cancellation);
        }
        catch (AskTimeoutException)
        {
            throw new RpcException(new Status(
                StatusCode.Unavailable,
                $"The coordinator's actors did not answer within {patience.TotalSeconds:0} s: it may still be joining the cluster; its log says more."));
        }
    }
}
