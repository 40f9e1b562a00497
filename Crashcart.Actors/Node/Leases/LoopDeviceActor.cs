using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Owns the loop device and the detached mount of one image file.
/// Detached → Attaching → Attached → Detaching → Detached
/// </summary>
internal sealed class LoopDeviceActor : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly LeaseHolders _holders;
    private readonly ReleaseStack _owned = new();
    private readonly IImages _images;
    private readonly ImageFile _file;
    private readonly IActorRef _parent;
    private bool _retired;

    public LoopDeviceActor(IImages images, ImageFile file)
    {
        _images = images;
        _file = file;
        _parent = Context.Parent;
        _holders = new LeaseHolders(Context, TellHolders);
        Detached();
    }

    /// <summary>Nobody will acquire any more: stop as soon as there is no holder.</summary>
    public sealed record Retire : ILocalMessage
    {
        public static readonly Retire Instance = new();
    }

    /// <summary>To the parent, at every change: who holds the image now. Nobody does when it is detached, and not before.</summary>
    public sealed record Held(IReadOnlyList<IActorRef> Holders) : ILocalMessage;

    private sealed record AttachDone(IAttachedImage Image) : ILocalMessage;

    private sealed record AttachFailed(Exception Reason) : ILocalMessage;

    private sealed record DetachDone(Exception? Problem) : ILocalMessage;

    public static Props Props(IImages images, ImageFile file) => Akka.Actor.Props.Create(() => new LoopDeviceActor(images, file));

    protected override void PostStop() => _ = _owned.ReleaseAsync();

    private void Detached()
    {
        Receive<Retire>(_ => Context.Stop(Self));
        ReceiveHolders(whenHeld: _ => Attach(), whenLast: () => { });
    }

    private void Attaching()
    {
        ReceiveHolders(whenHeld: _ => { }, whenLast: () => { });
        Receive<AttachDone>(done => OnAttached(done.Image));
        Receive<AttachFailed>(OnAttachFailed);
    }

    private void Attached(IAttachedImage image) =>
        ReceiveHolders(whenHeld: holder => holder.Tell(new Lease.Granted(image)), whenLast: Detach);

    private void Detaching()
    {
        ReceiveHolders(whenHeld: _ => { }, whenLast: () => { });
        Receive<DetachDone>(OnDetached);
    }

    private void Attach()
    {
        _owned.Own(cancellation => _images.AttachAsync(_file, cancellation))
            .PipeTo(Self, success: image => new AttachDone(image), failure: e => new AttachFailed(e));
        Become(Attaching);
    }

    private void OnAttached(IAttachedImage image)
    {
        _log.Info("Attached image {0} as {1}", _file.Path, image.LoopDevice);
        if (!_holders.Any)
        {
            Detach();
            return;
        }

        _holders.Grant(image);
        Become(() => Attached(image));
    }

    private void OnAttachFailed(AttachFailed failed)
    {
        _log.Warning("Could not attach image {0}: {1}", _file.Path, failed.Reason.Message);
        _holders.Refuse(NodeException.Describe(failed.Reason));
        BecomeDetached();
    }

    private void Detach()
    {
        _owned.ReleaseAsync().PipeTo(Self, success: () => new DetachDone(null), failure: e => new DetachDone(e));
        Become(Detaching);
    }

    private void OnDetached(DetachDone done)
    {
        if (done.Problem is null)
            _log.Info("Detached image {0}", _file.Path);
        else
            _log.Error(done.Problem, "Could not detach image {0}", _file.Path);

        if (_holders.Any)
            Attach();
        else
            BecomeDetached();
    }

    private void TellHolders(IReadOnlyCollection<IActorRef> holders)
    {
        if (holders.Count > 0)
            _parent.Tell(new Held([.. holders]));
    }

    private void BecomeDetached()
    {
        _parent.Tell(new Held([]));
        Become(Detached);
        if (_retired)
            Context.Stop(Self);
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
        Receive<Retire>(_ => _retired = true);

        void Drop(IActorRef holder)
        {
            if (_holders.RemoveLast(holder))
                whenLast();
        }
    }
}
