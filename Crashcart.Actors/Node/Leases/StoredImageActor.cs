using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Owns one image of the fleet's on this node: fetches it once for all that wait for it, and leads them to its loop device.
/// Idle → Checking → (Claiming → Fetching →) Idle; Idle → Removing → Idle
/// </summary>
internal sealed class StoredImageActor : ReceiveActor, IWithUnboundedStash, IWithTimers
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly List<(IActorRef Holder, WantedImage Image)> _waiting = [];
    private readonly NodePorts _ports;
    private readonly ImageDigest _digest;
    private readonly IActorRef _room;
    private (string Key, IActorRef Device) _current = ("", ActorRefs.Nobody);
    private IReadOnlyList<string> _users = [];
    private long _received;
    private int _generation;
    private bool _unwanted;

    public StoredImageActor(NodePorts ports, ImageDigest digest, IActorRef room)
    {
        _ports = ports;
        _digest = digest;
        _room = room;
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

    /// <summary>To the parent, at every change.</summary>
    public sealed record Used(ImageDigest Digest, IReadOnlyList<string> Users) : ILocalMessage;

    private sealed record Found(ImageFile? File) : ILocalMessage;

    private sealed record Fetched : ILocalMessage;

    private sealed record Failed(Exception Reason) : ILocalMessage;

    private sealed record RemoveDone(bool IsGone, Exception? Problem) : ILocalMessage;

    private sealed record TellProgress : ILocalMessage
    {
        public static readonly TellProgress Instance = new();
    }

    public static Props Props(NodePorts ports, ImageDigest digest, IActorRef room) =>
        Akka.Actor.Props.Create(() => new StoredImageActor(ports, digest, room));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    protected override void PostStop() => _lifetime.End();

    private void Idle()
    {
        ReceiveAlways();
        Receive<ImagesActor.AcquireStored>(acquire =>
        {
            Wait(acquire);
            Look();
        });
        Receive<Remove>(OnRemove);
    }

    private void Checking()
    {
        ReceiveAlways();
        Receive<ImagesActor.AcquireStored>(Wait);
        Receive<Found>(found =>
        {
            if (found.File is { } file)
                Serve(file);
            else
                ClaimRoom();
        });
        Receive<Failed>(failed => Refuse(NodeException.Describe(failed.Reason)));
        ReceiveAny(_ => Stash.Stash());
    }

    private void Claiming()
    {
        ReceiveAlways();
        Receive<ImagesActor.AcquireStored>(Wait);
        Receive<ImageRoomActor.Given>(_ => Fetch());
        Receive<ImageRoomActor.Refused>(refused => Refuse(refused.Failure));
        Receive<Remove>(_ => Sender.Tell(new Kept(_digest, Names(_waiting.Select(waiting => waiting.Holder)))));
    }

    private void Fetching()
    {
        ReceiveAlways();
        Receive<ImagesActor.AcquireStored>(Wait);
        Receive<TellProgress>(_ => OnProgress());
        Receive<Fetched>(_ =>
        {
            _log.Info("Fetched image {0}", _digest.Abbreviated);
            EndFetch();
            Look();
        });
        Receive<Failed>(failed =>
        {
            _log.Warning("Could not fetch image {0}: {1}", _digest.Abbreviated, failed.Reason.Message);
            EndFetch();
            Refuse(NodeException.Describe(failed.Reason));
        });
        Receive<Remove>(_ => Sender.Tell(new Kept(_digest, Names(_waiting.Select(waiting => waiting.Holder)))));
    }

    private void Removing(IActorRef asker)
    {
        Receive<RemoveDone>(done => OnRemoved(asker, done));
        ReceiveAlways();
        ReceiveAny(_ => Stash.Stash());
    }

    private void ReceiveAlways() => Receive<LoopDeviceActor.Held>(held =>
    {
        // A device of an older file may still have users.
        if (Sender.Equals(_current.Device))
            OnUsers(Names(held.Holders));
    });

    private void Wait(ImagesActor.AcquireStored acquire) => _waiting.Add((acquire.Holder, acquire.Image));

    private void Look()
    {
        _ports.StoredImages.FindAsync(_digest, _lifetime.Token).PipeTo(Self, success: file => new Found(file), failure: e => new Failed(e));
        Become(Checking);
    }

    private void ClaimRoom()
    {
        var image = _waiting[0].Image;
        _room.Tell(new ImageRoomActor.Claim(_digest, image.Name, image.Size));
        Become(Claiming);
    }

    private void Fetch()
    {
        // All who wait know sources; the freshest tickets come first.
        var image = _waiting[^1].Image.Clone();
        _log.Info("Fetching image {0} ({1})", image.Name, _digest.Abbreviated);
        _received = 0;
        _ports.StoredImages.FetchAsync(image, received => Volatile.Write(ref _received, received), _lifetime.Token)
            .PipeTo(Self, success: () => new Fetched(), failure: e => new Failed(e));
        Timers.StartPeriodicTimer(TellProgress.Instance, TellProgress.Instance, TimeSpan.Zero, ProgressInterval);
        Become(Fetching);
    }

    private void OnProgress()
    {
        foreach (var (holder, image) in _waiting)
            holder.Tell(new Lease.Awaited(image.Name, Volatile.Read(ref _received), image.Size));
    }

    private void EndFetch()
    {
        Timers.Cancel(TellProgress.Instance);
        _room.Tell(new ImageRoomActor.Settled(_digest));
    }

    private void Serve(ImageFile file)
    {
        if (file.Key != _current.Key)
        {
            _current.Device.Tell(LoopDeviceActor.Retire.Instance);
            _current = (file.Key, Context.ActorOf(LoopDeviceActor.Props(_ports.Images, file), $"device-{++_generation}"));
            Context.Parent.Tell(new ImagesActor.Identified(file.Key, _digest.ToString()));
        }

        // Somebody wants it again.
        _unwanted = false;
        OnUsers([.. _users.Union(Names(_waiting.Select(waiting => waiting.Holder)))]);
        foreach (var (holder, _) in _waiting)
            _current.Device.Tell(Lease.Acquire.Instance, holder);
        _waiting.Clear();
        BecomeIdle();
    }

    private void Refuse(SessionFailure failure)
    {
        foreach (var (holder, _) in _waiting)
            holder.Tell(new Lease.Refused(failure));
        _waiting.Clear();
        BecomeIdle();
    }

    private void OnRemove(Remove remove)
    {
        if (_users.Count > 0)
        {
            _unwanted |= remove.Later;
            Sender.Tell(new Kept(_digest, _users));
            return;
        }

        BeginRemove(Sender);
    }

    private void BeginRemove(IActorRef asker)
    {
        _unwanted = false;
        _ports.StoredImages.RemoveAsync(_digest).PipeTo(
            Self, success: gone => new RemoveDone(gone, null), failure: e => new RemoveDone(false, e));
        Become(() => Removing(asker));
    }

    private void OnRemoved(IActorRef asker, RemoveDone done)
    {
        if (done.Problem is { } problem)
            _log.Warning("Could not remove image {0}: {1}", _digest.Abbreviated, problem.Message);
        asker.Tell(done switch
        {
            { Problem: { } why } => new Removed(_digest, why.Message),
            { IsGone: false } => new Kept(_digest, ["another process on the host"]),
            _ => new Removed(_digest, null),
        });
        BecomeIdle();
    }

    private void OnUsers(IReadOnlyList<string> users)
    {
        _users = users;
        Context.Parent.Tell(new Used(_digest, users));
        if (users.Count == 0 && _unwanted)
        {
            _log.Info("Removing image {0}, which was unwanted and is not used any more", _digest.Abbreviated);
            Self.Tell(new Remove(Later: false), Context.Parent);
        }
    }

    private void BecomeIdle()
    {
        Become(Idle);
        Stash.UnstashAll();
    }

    private static IReadOnlyList<string> Names(IEnumerable<IActorRef> holders) => [.. holders.Select(holder => holder.Path.Name).Order(StringComparer.Ordinal)];
}
