using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Owns one image of the fleet's on this node: fetches it once for all that wait for it, and leads them to its loop device.
/// Idle → Checking → (Fetching → Checking →) Idle; Idle → (LettingGo →) Removing → Idle
/// </summary>
internal sealed class StoredImageActor : ReceiveActor, IWithUnboundedStash, IWithTimers
{
    /// <summary>After this time what could not be removed, because others on the host use it, is tried again.</summary>
    public static readonly TimeSpan RemovalInterval = TimeSpan.FromSeconds(2);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly ImageDemand<IActorRef> _demand = new(holder => holder.Path.Name);
    private readonly NodePorts _ports;
    private readonly ImageDigest _digest;
    private readonly IActorRef _room;
    private (string Key, IActorRef Device) _current = ("", ActorRefs.Nobody);
    private string _loopDevice = "";
    private TimeSpan _linger;
    private int _generation;

    public StoredImageActor(NodePorts ports, ImageDigest digest, IActorRef room, TimeSpan linger)
    {
        _ports = ports;
        _digest = digest;
        _room = room;
        _linger = linger;
        Idle();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public IStash Stash { get; set; } = null!;

    /// <summary>Remove the image, unless somebody uses it; answered by <see cref="Kept"/> or <see cref="Removed"/>.</summary>
    /// <param name="Later">Or else remove it after its last use.</param>
    public sealed record Remove(bool Later) : ILocalMessage;

    public sealed record Kept(ImageDigest Digest, IReadOnlyList<string> Users) : ILocalMessage;

    /// <param name="Problem">Null when it is gone.</param>
    public sealed record Removed(ImageDigest Digest, string? Problem) : ILocalMessage;

    /// <summary>People have it mounted; nobody when there are none.</summary>
    public sealed record Leased(IReadOnlyList<string> People) : ILocalMessage;

    /// <summary>To the parent, at every change.</summary>
    /// <param name="LoopDevice">Empty when it is not attached; it can be without users for a while.</param>
    public sealed record Used(ImageDigest Digest, IReadOnlyList<string> Users, string LoopDevice) : ILocalMessage;

    private sealed record Found(ImageFile? File) : ILocalMessage;

    private sealed record Failed(Exception Reason) : ILocalMessage;

    private sealed record RemoveDone(bool IsGone, Exception? Problem) : ILocalMessage;

    public static Props Props(NodePorts ports, ImageDigest digest, IActorRef room, TimeSpan linger) =>
        Akka.Actor.Props.Create(() => new StoredImageActor(ports, digest, room, linger));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    protected override void PostStop() => _lifetime.End();

    private void Idle()
    {
        ReceiveUsers();
        Receive<ImagesActor.AcquireStored>(acquire =>
        {
            Wait(acquire);
            Look();
        });
        Receive<Remove>(OnRemove);
    }

    private void Checking()
    {
        ReceiveUsers();
        Receive<ImagesActor.AcquireStored>(Wait);
        Receive<Found>(found =>
        {
            if (found.File is { } file)
                Serve(file);
            else if (_demand.Waiting.Count > 0)
                Fetch();
            else
                BecomeIdle();
        });
        Receive<Failed>(failed => Refuse(NodeException.Describe(failed.Reason)));
        ReceiveAny(_ => Stash.Stash());
    }

    private void Fetching(IActorRef fetch)
    {
        Receive<ImagesActor.AcquireStored>(Wait);
        Receive<ImageFetchActor.Progress>(OnProgress);
        Receive<ImageFetchActor.Ended>(ended =>
        {
            if (ended.Problem is { } problem)
                Refuse(problem);
            else
                Look();
        });
        Receive<Terminated>(gone =>
        {
            _demand.Leave(gone.ActorRef);
            if (_demand.Waiting.Count == 0)
                fetch.Tell(ImageFetchActor.Stop.Instance);
        });
        Receive<Remove>(remove => Keep(remove, Sender));
        ReceiveUsers();
    }

    // Nobody uses it, but its loop device has it.
    private void LettingGo(IActorRef asker, Remove remove)
    {
        Receive<LoopDeviceActor.Held>(held =>
        {
            // One that lingers said so before it was told to let go.
            if (!Sender.Equals(_current.Device) || held.Lingers)
                return;
            Note(held);
            if (_demand.Users.Count == 0)
            {
                BeginRemove(asker, remove);
                return;
            }

            Keep(remove, asker);
            BecomeIdle();
        });
        ReceiveAny(_ => Stash.Stash());
    }

    private void Removing(IActorRef asker, Remove remove)
    {
        Receive<RemoveDone>(done => OnRemoved(asker, remove, done));
        ReceiveUsers();
        ReceiveAny(_ => Stash.Stash());
    }

    // What happens in every state.
    private void ReceiveUsers()
    {
        Receive<LoopDeviceActor.Held>(held =>
        {
            // A device of an older file may still have users.
            if (!Sender.Equals(_current.Device))
                return;
            Note(held);
            OnUsers();
        });
        Receive<Leased>(leased =>
        {
            _demand.Lease(leased.People);
            OnUsers();
        });
        Receive<Terminated>(gone => _demand.Leave(gone.ActorRef));
        Receive<ContainersActor.Ended>(ended => _current.Device.Tell(ended));
        Receive<LoopDeviceActor.Linger>(linger =>
        {
            _linger = linger.Time;
            _current.Device.Tell(linger);
        });
    }

    private void Note(LoopDeviceActor.Held held)
    {
        _loopDevice = held.LoopDevice;
        _demand.Hold(held.Holders);
    }

    private void Wait(ImagesActor.AcquireStored acquire) => _demand.Wait(Context.Watch(acquire.Holder), acquire.Image);

    private void Look()
    {
        _ports.StoredImages.FindAsync(_digest, _lifetime.Token).PipeTo(Self, success: file => new Found(file), failure: e => new Failed(e));
        Become(Checking);
    }

    private void Fetch()
    {
        var fetch = Context.ActorOf(ImageFetchActor.Props(_ports.StoredImages, _digest, _demand.Freshest, _room), $"fetch-{++_generation}");
        Become(() => Fetching(fetch));
    }

    private void OnProgress(ImageFetchActor.Progress progress)
    {
        foreach (var (holder, image) in _demand.Waiting)
            holder.Tell(new Lease.Awaited(image.Name, progress.Received, image.Size));
    }

    private void Serve(ImageFile file)
    {
        if (file.Key != _current.Key)
        {
            _current.Device.Tell(LoopDeviceActor.Retire.Instance);
            _loopDevice = "";
            _current = (file.Key, Context.ActorOf(LoopDeviceActor.Props(_ports.Images, file, _linger), $"device-{++_generation}"));
            Context.Parent.Tell(new ImagesActor.Identified(file.Key, _digest.ToString()));
        }

        var holders = TakeWaiting();
        _demand.HoldToo(holders);
        foreach (var holder in holders)
            _current.Device.Tell(Lease.Acquire.Instance, holder);
        BecomeIdle();
        OnUsers();
    }

    private void Refuse(SessionFailure failure)
    {
        foreach (var holder in TakeWaiting())
            holder.Tell(new Lease.Refused(failure));
        BecomeIdle();
        OnUsers();
    }

    private IReadOnlyList<IActorRef> TakeWaiting()
    {
        var holders = _demand.TakeWaiting();
        foreach (var holder in holders)
            Context.Unwatch(holder);
        return holders;
    }

    private void OnRemove(Remove remove)
    {
        var asker = Sender;
        if (_demand.Users.Count > 0)
        {
            Keep(remove, asker);
        }
        else if (_loopDevice.Length > 0)
        {
            _current.Device.Tell(LoopDeviceActor.LetGo.Instance);
            Become(() => LettingGo(asker, remove));
        }
        else
        {
            BeginRemove(asker, remove);
        }
    }

    private void Keep(Remove remove, IActorRef asker)
    {
        if (remove.Later)
            _demand.Unwant();
        asker.Tell(new Kept(_digest, _demand.Users));
    }

    private void BeginRemove(IActorRef asker, Remove remove)
    {
        _ports.StoredImages.RemoveAsync(_digest).PipeTo(
            Self, success: gone => new RemoveDone(gone, null), failure: e => new RemoveDone(false, e));
        Become(() => Removing(asker, remove));
    }

    private void OnRemoved(IActorRef asker, Remove remove, RemoveDone done)
    {
        if (done.Problem is { } problem)
            _log.Warning("Could not remove image {0}: {1}", _digest.Abbreviated, problem.Message);
        asker.Tell(done switch
        {
            { Problem: { } why } => new Removed(_digest, why.Message),
            { IsGone: false } => new Kept(_digest, ["something else on the host"]),
            _ => new Removed(_digest, null),
        });
        _demand.IsGone();
        if (done is { IsGone: false, Problem: null } && remove.Later)
        {
            // Nobody tells this process when the others are done with it.
            _demand.Unwant();
            Timers.StartSingleTimer(nameof(Remove), remove, RemovalInterval);
        }

        BecomeIdle();
    }

    private void OnUsers()
    {
        Context.Parent.Tell(new Used(_digest, _demand.Users, _loopDevice));
        if (!_demand.ShallGo)
            return;
        _log.Info("Removing image {0}, which was unwanted and is not used any more", _digest.Abbreviated);
        Self.Tell(new Remove(Later: true), Context.Parent);
    }

    private void BecomeIdle()
    {
        Become(Idle);
        Stash.UnstashAll();
    }
}
