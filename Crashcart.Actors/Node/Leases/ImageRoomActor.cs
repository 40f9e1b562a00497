using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Owns the room that the node's images may take: gives it to one fetch after another, and has images removed for it.
/// Idle → Looking → Removing → Looking → Idle
/// </summary>
internal sealed class ImageRoomActor : ReceiveActor, IWithUnboundedStash
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly Dictionary<ImageDigest, Claim> _given = [];
    private readonly HashSet<ImageDigest> _busy = [];
    private readonly IStoredImages _store;

    public ImageRoomActor(IStoredImages store)
    {
        _store = store;
        Idle();
    }

    public IStash Stash { get; set; } = null!;

    /// <summary>From an image's actor; answered by <see cref="Given"/> or <see cref="Refused"/>.</summary>
    public sealed record Claim(ImageDigest Digest, string Name, long Size) : ILocalMessage;

    public sealed record Given : ILocalMessage
    {
        public static readonly Given Instance = new();
    }

    public sealed record Refused(SessionFailure Failure) : ILocalMessage;

    /// <summary>The fetch is over; what it brought is on the disk, and what did not come takes no room.</summary>
    public sealed record Settled(ImageDigest Digest) : ILocalMessage;

    private sealed record Listed(IReadOnlyList<StoredImage> Stored) : ILocalMessage;

    private sealed record NotListed(Exception Reason) : ILocalMessage;

    public static Props Props(IStoredImages store) => Akka.Actor.Props.Create(() => new ImageRoomActor(store));

    protected override void PostStop() => _lifetime.End();

    private void Idle()
    {
        Receive<Claim>(claim =>
        {
            _busy.Clear();
            Look(claim, Sender);
        });
        Receive<Settled>(settled => _given.Remove(settled.Digest));
        Receive<StoredImageActor.Kept>(_ => { });
        Receive<StoredImageActor.Removed>(_ => { });
    }

    private void Looking(Claim claim, IActorRef asker)
    {
        Receive<Listed>(listed => OnListed(claim, asker, listed.Stored));
        Receive<NotListed>(not => Answer(asker, new Refused(NodeException.Describe(not.Reason))));
        Receive<Settled>(settled => _given.Remove(settled.Digest));
        ReceiveAny(_ => Stash.Stash());
    }

    private void Removing(Claim claim, IActorRef asker, HashSet<ImageDigest> waiting)
    {
        Receive<StoredImageActor.Kept>(kept =>
        {
            _busy.Add(kept.Digest);
            OnAnswered(kept.Digest);
        });
        Receive<StoredImageActor.Removed>(removed =>
        {
            _log.Info("Removed image {0} to make room for {1}", removed.Digest.Abbreviated, claim.Name);
            OnAnswered(removed.Digest);
        });
        Receive<Settled>(settled => _given.Remove(settled.Digest));
        ReceiveAny(_ => Stash.Stash());

        void OnAnswered(ImageDigest digest)
        {
            if (waiting.Remove(digest) && waiting.Count == 0)
                Look(claim, asker);
        }
    }

    private void Look(Claim claim, IActorRef asker)
    {
        _store.ListAsync(_lifetime.Token).PipeTo(Self, success: stored => new Listed(stored), failure: e => new NotListed(e));
        Become(() => Looking(claim, asker));
    }

    private void OnListed(Claim claim, IActorRef asker, IReadOnlyList<StoredImage> stored)
    {
        var sizes = stored.ToDictionary(image => image.Digest, image => image.Size);
        var promised = _given.Values.Sum(other => Math.Max(0, other.Size - sizes.GetValueOrDefault(other.Digest)));
        var needed = Math.Max(0, claim.Size - sizes.GetValueOrDefault(claim.Digest));
        var busy = _busy.Union(_given.Keys).Append(claim.Digest).ToHashSet();
        switch (CachePolicy.MakeRoom(stored, busy, promised, needed, _store.Limit))
        {
            case null:
                Answer(asker, new Refused(NodeException.Describe(new NodeException(NodeFailure.Failed, NoRoom(claim)))));
                break;
            case []:
                _given[claim.Digest] = claim;
                Answer(asker, Given.Instance);
                break;
            case var superfluous:
                foreach (var digest in superfluous)
                    Context.Parent.Tell(new ImagesActor.Remove(digest));
                Become(() => Removing(claim, asker, [.. superfluous]));
                break;
        }
    }

    private string NoRoom(Claim claim) =>
        $"The image {claim.Name} takes {Megabytes(claim.Size)} MB, and the node has no room for it: its images may take {Megabytes(_store.Limit)} MB "
        + "together, and the others are in use. End their sessions, or give the node a larger --image-cache.";

    private static long Megabytes(long bytes) => (bytes + 999_999) / 1_000_000;

    private void Answer(IActorRef asker, object answer)
    {
        asker.Tell(answer);
        Become(Idle);
        Stash.UnstashAll();
    }
}
