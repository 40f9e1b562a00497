using Akka.Actor;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>The holders of one owner's resource, each of them watched as long as it holds.</summary>
internal sealed class LeaseHolders(IActorContext owner)
{
    private readonly Holders<IActorRef> _holders = new();

    public bool Any => _holders.Any;

    public void Add(IActorRef holder)
    {
        if (_holders.Add(holder))
            owner.Watch(holder);
    }

    /// <summary>Whether the last holder went just now.</summary>
    public bool RemoveLast(IActorRef holder)
    {
        owner.Unwatch(holder);
        return _holders.RemoveLast(holder);
    }

    public void Grant(IAttachedImage image)
    {
        foreach (var holder in _holders.All)
            holder.Tell(new Lease.Granted(image));
    }

    public void Refuse(SessionFailure failure)
    {
        foreach (var holder in _holders.Clear())
        {
            owner.Unwatch(holder);
            holder.Tell(new Lease.Refused(failure));
        }
    }
}
