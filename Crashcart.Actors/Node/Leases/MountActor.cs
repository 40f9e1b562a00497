using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Owns the shared mount in one container.
/// Opening → Unmounted → Mounting → Mounted → Unmounting → Unmounted; stops when the container exits
/// </summary>
internal sealed class MountActor : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly LeaseHolders _holders = new(Context);
    private readonly ReleaseStack _process = new();
    private readonly ReleaseStack _mount = new();
    private readonly NodePorts _ports;
    private readonly Container _container;
    private readonly IActorRef _images;

    // What the holders want; whoever wants another is refused while there are any.
    private Acquire _wanted = new(null, "");

    // What is mounted or being mounted; all who wanted it may leave meanwhile, and somebody come who wants another.
    private Acquire _mounting = new(null, "");

    public MountActor(NodePorts ports, Container container, IActorRef images)
    {
        _ports = ports;
        _container = container;
        _images = images;
        Opening();
    }

    /// <summary>The sender wants a lease of the mount.</summary>
    /// <param name="Image">As in <see cref="ImagesActor.Acquire"/>.</param>
    /// <param name="Digest">Which image that is; empty when it is not known yet.</param>
    public sealed record Acquire(WantedImage? Image, string Digest) : ILocalMessage
    {
        public bool IsOtherThan(Acquire other) => Digest != other.Digest && Digest.Length > 0 && other.Digest.Length > 0;
    }

    /// <summary>To the parent, at every change.</summary>
    public sealed record Changed(bool IsMounted) : ILocalMessage;

    private sealed record Opened(ITarget Target) : ILocalMessage;

    private sealed record MountDone(IAttachedImage Image) : ILocalMessage;

    private sealed record Failed(SessionFailure Reason) : ILocalMessage;

    private sealed record UnmountDone(Exception? Problem) : ILocalMessage;

    private sealed record ContainerExited : ILocalMessage;

    public static Props Props(NodePorts ports, Container container, IActorRef images) =>
        Akka.Actor.Props.Create(() => new MountActor(ports, container, images));

    protected override void PreStart() =>
        _process.Own(cancellation => _ports.Targets.OpenAsync(_container.Id, _container.Pid, cancellation))
            .PipeTo(Self, success: target => new Opened(target), failure: Failure);

    protected override void PostStop() => _ = Task.WhenAll(_mount.ReleaseAsync(), _process.ReleaseAsync());

    private void Opening()
    {
        ReceiveHolders(whenHeld: _ => { }, whenLast: () => { });
        Receive<Opened>(opened =>
        {
            opened.Target.Exited.PipeTo(Self, success: () => new ContainerExited());
            Settle(opened.Target);
        });
        Receive<Failed>(failed =>
        {
            _holders.Refuse(failed.Reason);
            Context.Stop(Self);
        });
    }

    private void Unmounted(ITarget target) =>
        ReceiveHolders(whenHeld: _ => Mount(target), whenLast: () => { });

    private void Mounting(ITarget target)
    {
        ReceiveHolders(whenHeld: _ => { }, whenLast: () => { });
        Receive<Lease.Granted>(granted => MountImage(target, granted.Image));
        Receive<Lease.Awaited>(_holders.Tell);
        Receive<MountDone>(done => OnMounted(target, done.Image));
        Receive<Lease.Refused>(refused => OnMountFailed(target, refused.Failure));
        Receive<Failed>(failed => OnMountFailed(target, failed.Reason));
    }

    private void Mounted(ITarget target, IAttachedImage image) =>
        ReceiveHolders(whenHeld: holder => holder.Tell(new Lease.Granted(image)), whenLast: () => Unmount(target));

    private void Unmounting(ITarget target)
    {
        ReceiveHolders(whenHeld: _ => { }, whenLast: () => { });
        Receive<UnmountDone>(done => OnUnmounted(target, done.Problem));
    }

    private void Mount(ITarget target)
    {
        _mounting = _wanted;
        _images.Tell(new ImagesActor.Acquire(_mounting.Image));
        Become(() => Mounting(target));
    }

    private void MountImage(ITarget target, IAttachedImage image)
    {
        Lease.TellUse(Sender, _container, target);
        var lease = new HeldLease(Sender, Self);
        _mount.Own(_ => Task.FromResult(lease));
        _mount.Own(cancellation => _ports.Mounts.MountAsync(target, image, cancellation))
            .PipeTo(Self, success: _ => new MountDone(image), failure: Failure);
    }

    private void OnMounted(ITarget target, IAttachedImage image)
    {
        _log.Info("Mounted the image in container {0}", _container.Id);
        Context.Parent.Tell(new Changed(true));
        if (!_holders.Any || _mounting.IsOtherThan(_wanted))
        {
            Unmount(target);
            return;
        }

        _holders.Grant(image);
        Become(() => Mounted(target, image));
    }

    private void OnMountFailed(ITarget target, SessionFailure failure)
    {
        _log.Warning("Could not mount the image in container {0}: {1}", _container.Id, failure.Message);
        if (!_mounting.IsOtherThan(_wanted))
            _holders.Refuse(failure);
        Unmount(target);
    }

    private void Unmount(ITarget target)
    {
        _mount.ReleaseAsync().PipeTo(Self, success: () => new UnmountDone(null), failure: e => new UnmountDone(e));
        Become(() => Unmounting(target));
    }

    private void OnUnmounted(ITarget target, Exception? problem)
    {
        if (problem is null)
            _log.Info("Released the mount in container {0}", _container.Id);
        else
            _log.Error(problem, "Could not unmount the image in container {0}", _container.Id);
        Context.Parent.Tell(new Changed(false));
        Settle(target);
    }

    private void Settle(ITarget target)
    {
        if (_holders.Any)
            Mount(target);
        else
            Become(() => Unmounted(target));
    }

    // What happens in every state. Release and death of a holder are one road.
    private void ReceiveHolders(Action<IActorRef> whenHeld, Action whenLast)
    {
        Receive<Acquire>(acquire =>
        {
            if (_holders.Any && acquire.IsOtherThan(_wanted))
            {
                Sender.Tell(new Lease.Refused(NodeException.Describe(new NodeException(NodeFailure.Failed, AnotherImage(acquire)))));
                return;
            }

            if (!_holders.Any)
                _wanted = acquire;
            _holders.Add(Sender);
            whenHeld(Sender);
        });
        Receive<Lease.Release>(_ => Drop(Sender));
        Receive<Terminated>(gone => Drop(gone.ActorRef));
        Receive<ContainerExited>(_ => Context.Stop(Self));

        void Drop(IActorRef holder)
        {
            if (_holders.RemoveLast(holder))
                whenLast();
        }
    }

    private string AnotherImage(Acquire other) =>
        $"Image {NameOf(_wanted)} is mounted at /dev/crashcart of container {_container.Id.Value[..Math.Min(12, _container.Id.Value.Length)]} for all of it, so image "
        + $"{NameOf(other)} cannot be: end the sessions that use the other, or leave out --shared.";

    private static string NameOf(Acquire acquire) => (acquire.Image?.Name, acquire.Digest) switch
    {
        (_, "") => "of the node",
        (null or "", var digest) => digest,
        (var name, var digest) => name == digest ? name : $"{name} ({digest})",
    };

    private static Failed Failure(Exception exception) => new(NodeException.Describe(exception));
}
