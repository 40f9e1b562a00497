using Akka.Actor;
using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>Leads each acquirer to the image that it wants, and knows which images the node has and who uses them.</summary>
internal sealed class ImagesActor : ReceiveActor
{
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly Dictionary<ImageDigest, IActorRef> _stored = [];
    private readonly Dictionary<ImageDigest, StoredImageActor.Used> _uses = [];
    private readonly Dictionary<ImageDigest, List<(IActorRef Asker, string CorrelationId)>> _drops = [];
    private readonly NodePorts _ports;
    private readonly IActorRef _own;
    private readonly IActorRef _room;
    private OwnImageActor.Known _ownFile = new(null, "", 0);
    private OwnImageActor.Used _ownUse = new([], "");
    private IReadOnlyList<ImageDigest> _leased = [];
    private TimeSpan _linger;

    public ImagesActor(NodePorts ports, TimeSpan linger)
    {
        _ports = ports;
        _linger = linger;
        _own = Child(OwnImageActor.Props(ports.Images, linger), "own");
        _room = Child(ImageRoomActor.Props(ports.StoredImages), "room");

        Receive<Acquire>(_own.Forward);
        Receive<AcquireStored>(OnAcquireStored);
        Receive<OwnImageActor.Look>(_own.Forward);
        Receive<OwnImageActor.Known>(OnOwnKnown);
        Receive<LeasedByPeople>(OnLeasedByPeople);
        Receive<Identified>(Context.Parent.Forward);
        Receive<OwnImageActor.Used>(used => _ownUse = used);
        Receive<StoredImageActor.Used>(used => _uses[used.Digest] = used);
        Receive<LoopDeviceActor.Linger>(OnLinger);
        Receive<ContainersActor.Ended>(TellAll);
        Receive<Remove>(remove => Stored(remove.Digest).Forward(new StoredImageActor.Remove(Later: false)));
        Receive<Describe>(OnDescribe);
        Receive<Described>(described => described.Asker.Tell(Complete(described)));
        Receive<DropImage>(OnDrop);
        Receive<StoredImageActor.Removed>(removed => OnDropped(removed.Digest, [], removed.Problem));
        Receive<StoredImageActor.Kept>(kept => OnDropped(kept.Digest, kept.Users, null));
        // All start anew with the node: leases and room would not fit together any more.
        Receive<Terminated>(gone => throw new InvalidOperationException($"The node's image actor {gone.ActorRef.Path.Name} stopped."));
    }

    /// <summary>The sender wants a lease.</summary>
    /// <param name="Image">Null: the file that the node was given. Its digest is one.</param>
    public sealed record Acquire(WantedImage? Image) : ILocalMessage;

    /// <summary>The holder wants a lease of an image of the fleet's.</summary>
    public sealed record AcquireStored(IActorRef Holder, WantedImage Image) : ILocalMessage;

    /// <summary>Remove an image unless somebody uses it; answered as <see cref="StoredImageActor.Remove"/> is.</summary>
    public sealed record Remove(ImageDigest Digest) : ILocalMessage;

    /// <summary>All images that people have mounted, whatever becomes of this node's process.</summary>
    public sealed record LeasedByPeople(IReadOnlyList<(string Digest, LeaseId Lease)> Leases) : ILocalMessage;

    /// <summary>To the parent: which image a file in one state is.</summary>
    /// <param name="Key">As <see cref="ImageFile.Key"/>.</param>
    /// <param name="Digest">sha256: and 64 hex digits.</param>
    public sealed record Identified(string Key, string Digest) : ILocalMessage;

    /// <summary>Complete the answer with the node's images and tell it to the asker.</summary>
    public sealed record Describe(NodeDescribed Answer, IActorRef Asker) : ILocalMessage;

    private sealed record Described(NodeDescribed Answer, IActorRef Asker, IReadOnlyList<StoredImage> Stored) : ILocalMessage;

    public static Props Props(NodePorts ports, TimeSpan linger) => Akka.Actor.Props.Create(() => new ImagesActor(ports, linger));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    protected override void PostStop() => _lifetime.End();

    private static IActorRef Child(Props props, string name) => Context.Watch(Context.ActorOf(props, name));

    private void OnAcquireStored(AcquireStored acquire)
    {
        if (ImageDigest.TryParse(acquire.Image.Digest, out var digest))
            Stored(digest).Tell(acquire);
        else
            acquire.Holder.Tell(new Lease.Refused(NodeException.Describe(new NodeException(
                NodeFailure.Failed, $"The request for the image {acquire.Image.Name} is malformed: '{acquire.Image.Digest}' is no digest."))));
    }

    private void OnLeasedByPeople(LeasedByPeople leased)
    {
        var images = leased.Leases
            .Select(lease => (Digest: ImageDigest.TryParse(lease.Digest, out var digest) ? digest : (ImageDigest?)null, lease.Lease))
            .ToLookup(lease => lease.Digest, lease => lease.Lease.Value);
        foreach (var digest in _leased.Union(images.Select(image => image.Key).OfType<ImageDigest>()))
            Stored(digest).Tell(new StoredImageActor.Leased([.. images[digest]]));
        _leased = [.. images.Select(image => image.Key).OfType<ImageDigest>()];
    }

    private IActorRef Stored(ImageDigest digest)
    {
        if (!_stored.TryGetValue(digest, out var image))
            _stored.Add(digest, image = Child(StoredImageActor.Props(_ports, digest, _room, _linger), digest.Hex));
        return image;
    }

    private void OnLinger(LoopDeviceActor.Linger linger)
    {
        _linger = linger.Time;
        TellAll(linger);
    }

    private void TellAll(object message)
    {
        foreach (var image in _stored.Values.Prepend(_own))
            image.Tell(message);
    }

    private void OnOwnKnown(OwnImageActor.Known known)
    {
        _ownFile = known;
        Context.Parent.Forward(known);
    }

    private void OnDescribe(Describe describe) =>
        _ports.StoredImages.ListAsync(_lifetime.Token).PipeTo(
            Self,
            success: stored => new Described(describe.Answer, describe.Asker, stored),
            // A store that cannot be read holds nothing that could be used.
            failure: _ => new Described(describe.Answer, describe.Asker, []));

    private NodeDescribed Complete(Described described)
    {
        if (_ownFile.Path is not null)
            described.Answer.Images.Add(new HeldImage { Digest = _ownFile.Digest, Size = _ownFile.Size, Own = true, Users = { _ownUse.Users }, LoopDevice = _ownUse.LoopDevice });
        described.Answer.Images.Add(described.Stored.Where(image => image.IsWhole).OrderBy(image => image.Digest.Hex, StringComparer.Ordinal).Select(HeldOf));
        return described.Answer;
    }

    private HeldImage HeldOf(StoredImage image)
    {
        var use = _uses.GetValueOrDefault(image.Digest, new StoredImageActor.Used(image.Digest, [], ""));
        return new HeldImage { Digest = image.Digest.ToString(), Size = image.Size, Users = { use.Users }, LoopDevice = use.LoopDevice };
    }

    private void OnDrop(DropImage drop)
    {
        if (!ImageDigest.TryParse(drop.Digest, out var digest))
        {
            Sender.Tell(new ImageDropped { CorrelationId = drop.CorrelationId, Problem = $"'{drop.Digest}' is no digest." });
            return;
        }

        if (!_drops.TryGetValue(digest, out var askers))
            _drops.Add(digest, askers = []);
        askers.Add((Sender, drop.CorrelationId));
        Stored(digest).Tell(new StoredImageActor.Remove(Later: true));
    }

    private void OnDropped(ImageDigest digest, IReadOnlyList<string> users, string? problem)
    {
        if (!_drops.Remove(digest, out var askers))
            return;
        foreach (var (asker, correlation) in askers)
            asker.Tell(new ImageDropped { CorrelationId = correlation, Users = { users }, Problem = problem ?? "" });
    }
}
