using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Owns one fetch of an image of the fleet's and the room that it takes, and tells the parent how far it is and how it ended.
/// Claiming → Fetching → stopped
/// </summary>
internal sealed class ImageFetchActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromSeconds(1);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly IStoredImages _store;
    private readonly ImageDigest _digest;
    private readonly WantedImage _image;
    private readonly IActorRef _room;
    private long _received;

    public ImageFetchActor(IStoredImages store, ImageDigest digest, WantedImage image, IActorRef room)
    {
        _store = store;
        _digest = digest;
        _image = image;
        _room = room;
        Claiming();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Nobody waits for it any more. What came stays for the next fetch.</summary>
    public sealed record Stop : ILocalMessage
    {
        public static readonly Stop Instance = new();
    }

    /// <summary>To the parent, now and then.</summary>
    /// <param name="Received">Bytes.</param>
    public sealed record Progress(long Received) : ILocalMessage;

    /// <summary>To the parent: the last word.</summary>
    /// <param name="Problem">Null when all came, or it was told to stop.</param>
    public sealed record Ended(SessionFailure? Problem) : ILocalMessage;

    private sealed record Fetched : ILocalMessage;

    private sealed record Failed(Exception Reason) : ILocalMessage;

    private sealed record TellProgress : ILocalMessage
    {
        public static readonly TellProgress Instance = new();
    }

    public static Props Props(IStoredImages store, ImageDigest digest, WantedImage image, IActorRef room) =>
        Akka.Actor.Props.Create(() => new ImageFetchActor(store, digest, image, room));

    protected override void PreStart() => _room.Tell(new ImageRoomActor.Claim(_digest, _image.Name, _image.Size));

    protected override void PostStop() => _lifetime.End();

    private void Claiming()
    {
        Receive<ImageRoomActor.Given>(_ => Fetch());
        Receive<ImageRoomActor.Refused>(refused => End(refused.Failure));
        // The room is given all the same, and the fetch that then begins ends at once.
        Receive<Stop>(_ => _lifetime.End());
    }

    private void Fetching()
    {
        Receive<TellProgress>(_ => Context.Parent.Tell(new Progress(Volatile.Read(ref _received))));
        Receive<Stop>(_ => _lifetime.End());
        Receive<Fetched>(_ =>
        {
            _log.Info("Fetched image {0}", _digest.Abbreviated);
            Settle(null);
        });
        Receive<Failed>(OnFailed);
    }

    private void Fetch()
    {
        _log.Info("Fetching image {0} ({1})", _image.Name, _digest.Abbreviated);
        _store.FetchAsync(_image, received => Volatile.Write(ref _received, received), _lifetime.Token)
            .PipeTo(Self, success: () => new Fetched(), failure: e => new Failed(e));
        Timers.StartPeriodicTimer(TellProgress.Instance, TellProgress.Instance, TimeSpan.Zero, ProgressInterval);
        Become(Fetching);
    }

    private void OnFailed(Failed failed)
    {
        if (_lifetime.Token.IsCancellationRequested)
        {
            _log.Info("Stopped fetching image {0}: nobody waits for it any more", _digest.Abbreviated);
            Settle(null);
            return;
        }

        _log.Warning("Could not fetch image {0}: {1}", _digest.Abbreviated, failed.Reason.Message);
        Settle(NodeException.Describe(failed.Reason));
    }

    private void Settle(SessionFailure? problem)
    {
        _room.Tell(new ImageRoomActor.Settled(_digest));
        End(problem);
    }

    private void End(SessionFailure? problem)
    {
        Context.Parent.Tell(new Ended(problem));
        Context.Stop(Self);
    }
}
