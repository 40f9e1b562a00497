using Akka.Actor;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>The holders of one owner's resource, each of them watched as long as it holds.</summary>
/// <param name="changed">Is told who holds it, at every change.</param>
internal sealed class LeaseHolders(IActorContext owner, Action<IReadOnlyCollection<IActorRef>>? changed = null)
{
    private readonly Holders<IActorRef> _holders = new();

    public bool Any => _holders.Any;

    public IReadOnlyCollection<IActorRef> All => _holders.All;

    public void Add(IActorRef holder)
    {
        if (!_holders.Add(holder))
            return;
        owner.Watch(holder);
        changed?.Invoke(_holders.All);
    }

    /// <summary>Whether the last holder went just now.</summary>
    public bool RemoveLast(IActorRef holder)
    {
        owner.Unwatch(holder);
        var wasLast = _holders.RemoveLast(holder);
        changed?.Invoke(_holders.All);
        return wasLast;
    }

    public void Grant(IAttachedImage image)
    {
        foreach (var holder in _holders.All)
            holder.Tell(new Lease.Granted(image));
    }

    /// <summary>Tells all of them that it takes a while.</summary>
    public void Tell(Lease.Awaited awaited)
    {
        foreach (var holder in _holders.All)
            holder.Tell(awaited);
    }

    public void Refuse(SessionFailure failure)
    {
        foreach (var holder in _holders.Clear())
        {
            owner.Unwatch(holder);
            holder.Tell(new Lease.Refused(failure));
        }

        changed?.Invoke(_holders.All);
    }
}
