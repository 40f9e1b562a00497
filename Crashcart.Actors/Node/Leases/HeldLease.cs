using Akka.Actor;

namespace Crashcart.Actors.Node.Leases;

/// <summary>A granted lease among the things that an actor owns: disposing releases it.</summary>
internal sealed class HeldLease(IActorRef owner, IActorRef holder) : IAsyncDisposable
{
    public ValueTask DisposeAsync()
    {
        owner.Tell(Lease.Release.Instance, holder);
        return ValueTask.CompletedTask;
    }
}
