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

    public MountActor(NodePorts ports, Container container, IActorRef images)
    {
        _ports = ports;
        _container = container;
        _images = images;
        Opening();
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
        _images.Tell(Lease.Acquire.Instance);
        Become(() => Mounting(target));
    }

    private void MountImage(ITarget target, IAttachedImage image)
    {
        var lease = new HeldLease(Sender, Self);
        _mount.Own(_ => Task.FromResult(lease));
        _mount.Own(cancellation => _ports.Mounts.MountAsync(target, image, cancellation))
            .PipeTo(Self, success: _ => new MountDone(image), failure: Failure);
    }

    private void OnMounted(ITarget target, IAttachedImage image)
    {
        _log.Info("Mounted the image in container {0}", _container.Id);
        Context.Parent.Tell(new Changed(true));
        _holders.Grant(image);

        if (_holders.Any)
            Become(() => Mounted(target, image));
        else
            Unmount(target);
    }

    private void OnMountFailed(ITarget target, SessionFailure failure)
    {
        _log.Warning("Could not mount the image in container {0}: {1}", _container.Id, failure.Message);
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
        Receive<Lease.Acquire>(_ =>
        {
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

    private static Failed Failure(Exception exception) => new(NodeException.Describe(exception));
}
