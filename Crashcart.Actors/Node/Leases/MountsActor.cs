using Akka.Actor;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>Leads each acquirer to the actor that owns the shared mount in its container.</summary>
internal sealed class MountsActor : ReceiveActor
{
    private readonly Dictionary<(ContainerId, int), IActorRef> _mounts = [];
    private readonly HashSet<IActorRef> _mounted = [];
    private readonly NodePorts _ports;
    private readonly IActorRef _images;
    private string _ownDigest = "";
    private int _generation;

    public MountsActor(NodePorts ports, IActorRef images)
    {
        _ports = ports;
        _images = images;
        Receive<Acquire>(OnAcquire);
        Receive<OwnImageActor.Known>(own => _ownDigest = own.Digest);
        Receive<MountActor.Changed>(OnChanged);
        Receive<Terminated>(OnTerminated);
    }

    /// <summary>Like <see cref="Lease.Acquire"/>, for the mount in one container.</summary>
    /// <param name="Image">As in <see cref="ImagesActor.Acquire"/>.</param>
    public sealed record Acquire(Container Container, WantedImage? Image = null) : ILocalMessage;

    /// <summary>To the parent, at every change.</summary>
    public sealed record Counted(int Mounts) : ILocalMessage;

    public static Props Props(NodePorts ports, IActorRef images) => Akka.Actor.Props.Create(() => new MountsActor(ports, images));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    private void OnAcquire(Acquire acquire)
    {
        // A restarted container has the same id and another process: another mount.
        var key = (acquire.Container.Id, acquire.Container.Pid);
        if (!_mounts.TryGetValue(key, out var mount))
        {
            var name = $"{acquire.Container.Pid}-{++_generation}";
            mount = Context.Watch(Context.ActorOf(MountActor.Props(_ports, acquire.Container, _images), name));
            _mounts.Add(key, mount);
        }

        mount.Tell(new MountActor.Acquire(acquire.Image, DigestOf(acquire.Image)), Sender);
    }

    /// <summary>Which image it will be, as far as that is known yet.</summary>
    private string DigestOf(WantedImage? image) => image switch
    {
        null => _ownDigest,
        { OnlyWithoutOwn: true } when _ownDigest.Length > 0 => _ownDigest,
        _ => image.Digest,
    };

    private void OnChanged(MountActor.Changed changed)
    {
        if (changed.IsMounted ? _mounted.Add(Sender) : _mounted.Remove(Sender))
            Context.Parent.Tell(new Counted(_mounted.Count));
    }

    private void OnTerminated(Terminated gone)
    {
        _mounts.Remove(_mounts.Single(m => m.Value.Equals(gone.ActorRef)).Key);
        if (_mounted.Remove(gone.ActorRef))
            Context.Parent.Tell(new Counted(_mounted.Count));
    }
}
