using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Owns the loop device and the detached mount of one image file.
/// Detached → Attaching → Attached → Lingering → Detaching → Detached; Lingering → Attached, when somebody comes meanwhile.
/// It lingers only while a container runs in which it was used.
/// </summary>
internal sealed class LoopDeviceActor : ReceiveActor, IWithTimers
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly LeaseHolders _holders;
    private readonly ReleaseStack _owned = new();
    private readonly IImages _images;
    private readonly ImageFile _file;
    private readonly IActorRef _parent;

    // Where it was used since it was attached, as far as that still runs.
    private readonly HashSet<(ContainerId, int)> _containers = [];
    private TimeSpan _linger;
    private string _device = "";
    private bool _retired;

    public LoopDeviceActor(IImages images, ImageFile file, TimeSpan linger)
    {
        _images = images;
        _file = file;
        _linger = linger;
        _parent = Context.Parent;
        _holders = new LeaseHolders(Context, TellHolders);
        Detached();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Nobody will acquire any more: stop as soon as there is no holder.</summary>
    public sealed record Retire : ILocalMessage
    {
        public static readonly Retire Instance = new();
    }

    /// <summary>From now on, how long the image stays attached for the next holder after its last one; zero is not at all.</summary>
    public sealed record Linger(TimeSpan Time) : ILocalMessage;

    /// <summary>Do not stay attached for the next holder, this time: the file is wanted for something else.</summary>
    public sealed record LetGo : ILocalMessage
    {
        public static readonly LetGo Instance = new();
    }

    /// <summary>To the parent, at every change: who holds the image now.</summary>
    /// <param name="LoopDevice">Empty when the image is not attached, or not yet.</param>
    public sealed record Held(IReadOnlyList<IActorRef> Holders, string LoopDevice) : ILocalMessage
    {
        /// <summary>It is attached for whoever comes next. When nobody holds it and it does not linger, it is detached.</summary>
        public bool Lingers => Holders.Count == 0 && LoopDevice.Length > 0;
    }

    private sealed record AttachDone(IAttachedImage Image) : ILocalMessage;

    private sealed record AttachFailed(Exception Reason) : ILocalMessage;

    private sealed record DetachDone(Exception? Problem) : ILocalMessage;

    private sealed record LingeredEnough : ILocalMessage
    {
        public static readonly LingeredEnough Instance = new();
    }

    public static Props Props(IImages images, ImageFile file, TimeSpan linger) =>
        Akka.Actor.Props.Create(() => new LoopDeviceActor(images, file, linger));

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
        ReceiveHolders(whenHeld: holder => holder.Tell(new Lease.Granted(image)), whenLast: () => Leave(image));

    private void Lingering(IAttachedImage image)
    {
        Receive<LingeredEnough>(_ => Detach());
        Receive<LetGo>(_ => Detach());
        Receive<ContainersActor.Ended>(ended =>
        {
            if (Forget(ended) && _containers.Count == 0)
                Detach();
        });
        Receive<Retire>(_ =>
        {
            _retired = true;
            Detach();
        });
        Receive<Linger>(linger =>
        {
            _linger = linger.Time;
            Leave(image);
        });
        ReceiveHolders(
            whenHeld: holder =>
            {
                Timers.CancelAll();
                holder.Tell(new Lease.Granted(image));
                Become(() => Attached(image));
            },
            whenLast: () => { });
    }

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
        _device = image.LoopDevice;
        if (!_holders.Any)
        {
            Leave(image);
            return;
        }

        TellHolders(_holders.All);
        _holders.Grant(image);
        Become(() => Attached(image));
    }

    private void OnAttachFailed(AttachFailed failed)
    {
        _log.Warning("Could not attach image {0}: {1}", _file.Path, failed.Reason.Message);
        _holders.Refuse(NodeException.Describe(failed.Reason));
        BecomeDetached();
    }

    // The last holder is gone.
    private void Leave(IAttachedImage image)
    {
        if (_retired || _linger == TimeSpan.Zero || _containers.Count == 0)
        {
            Detach();
            return;
        }

        Timers.StartSingleTimer(LingeredEnough.Instance, LingeredEnough.Instance, _linger);
        _parent.Tell(new Held([], _device));
        Become(() => Lingering(image));
    }

    private void Detach()
    {
        Timers.CancelAll();
        _containers.Clear();
        _device = "";
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

    private bool Forget(ContainersActor.Ended ended) => _containers.Remove((ended.Container, ended.Pid));

    private void TellHolders(IReadOnlyCollection<IActorRef> holders)
    {
        if (holders.Count > 0)
            _parent.Tell(new Held([.. holders], _device));
    }

    private void BecomeDetached()
    {
        _parent.Tell(new Held([], _device));
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
        Receive<Linger>(linger => _linger = linger.Time);
        Receive<LetGo>(_ => { });
        Receive<Lease.UsedIn>(use => _containers.Add((use.Container, use.Pid)));
        Receive<ContainersActor.Ended>(ended => Forget(ended));

        void Drop(IActorRef holder)
        {
            if (_holders.RemoveLast(holder))
                whenLast();
        }
    }
}
