using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Owns the image file that the node was given: leads each acquirer whom it suits to the loop device of the file as it is at
/// that moment, and the others back to the parent.
/// </summary>
internal sealed class OwnImageActor : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly IImages _images;
    private TimeSpan _linger;
    private int _generation;
    private (string Key, string Digest, IActorRef Device) _current = ("", "", ActorRefs.Nobody);
    private Known _known = new(null, "", 0);

    public OwnImageActor(IImages images, TimeSpan linger)
    {
        _images = images;
        _linger = linger;
        Receive<ImagesActor.Acquire>(acquire => Identify(new Asker(Sender, acquire.Image)));
        Receive<Look>(_ => Identify(null));
        Receive<Identified>(OnIdentified);
        Receive<Unidentified>(OnUnidentified);
        Receive<Digested>(OnDigested);
        Receive<LoopDeviceActor.Held>(OnHeld);
        Receive<ContainersActor.Ended>(ended => _current.Device.Tell(ended));
        Receive<LoopDeviceActor.Linger>(linger =>
        {
            _linger = linger.Time;
            _current.Device.Tell(linger);
        });
    }

    /// <summary>Look whether the file is as it was.</summary>
    public sealed record Look : ILocalMessage
    {
        public static readonly Look Instance = new();
    }

    /// <summary>To the parent, at every change: the file that sessions get now.</summary>
    /// <param name="Path">Null when there is none.</param>
    /// <param name="Digest">Empty as long as it is not known.</param>
    /// <param name="Size">Bytes.</param>
    public sealed record Known(string? Path, string Digest, long Size) : ILocalMessage;

    /// <summary>To the parent, at every change: who uses the file that sessions get now.</summary>
    /// <param name="LoopDevice">Empty when it is not attached; it can be without users for a while.</param>
    public sealed record Used(IReadOnlyList<string> Users, string LoopDevice) : ILocalMessage;

    private sealed record Asker(IActorRef Holder, WantedImage? Image);

    private sealed record Identified(Asker? Asker, ImageFile File) : ILocalMessage;

    private sealed record Unidentified(Asker? Asker, Exception Reason) : ILocalMessage;

    private sealed record Digested(string Key, string Digest, Exception? Problem) : ILocalMessage;

    public static Props Props(IImages images, TimeSpan linger) => Akka.Actor.Props.Create(() => new OwnImageActor(images, linger));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    protected override void PreStart() => Identify(null);

    protected override void PostStop() => _lifetime.End();

    private void Identify(Asker? asker) =>
        _images.IdentifyAsync(_lifetime.Token).PipeTo(
            Self, success: file => new Identified(asker, file), failure: e => new Unidentified(asker, e));

    private void OnIdentified(Identified identified)
    {
        if (identified.File.Key != _current.Key)
            Replace(identified.File);
        if (identified.Asker is not { } asker)
            return;
        if (asker.Image is null or { OnlyWithoutOwn: true } || (_current.Digest.Length > 0 && asker.Image.Digest == _current.Digest))
            _current.Device.Tell(Lease.Acquire.Instance, asker.Holder);
        else
            PassOn(asker.Holder, asker.Image);
    }

    private void Replace(ImageFile file)
    {
        _log.Info("Using image {0}", file.Path);
        _current.Device.Tell(LoopDeviceActor.Retire.Instance);
        _current = (file.Key, "", Context.ActorOf(LoopDeviceActor.Props(_images, file, _linger), $"{file.Key}-{++_generation}"));
        Tell(new Known(file.Path, "", file.Size));
        Context.Parent.Tell(new Used([], ""));
        _images.DigestAsync(file, _lifetime.Token).PipeTo(
            Self,
            success: digest => new Digested(file.Key, digest, null),
            failure: e => new Digested(file.Key, "", e));
    }

    private void OnUnidentified(Unidentified unidentified)
    {
        var isThere = unidentified.Reason is not NodeException { Failure: NodeFailure.NoImage };
        // A node that was given none uses the fleet's, and need not say so each time.
        if (isThere || _known.Path is not null || unidentified.Asker is { Image: null })
            _log.Warning("No image: {0}", unidentified.Reason.Message);
        if (!isThere)
            Tell(new Known(null, "", 0));
        if (unidentified.Asker is not { } asker)
            return;
        // A file that is there and is no image is told of, not passed over.
        if (asker.Image is { } image && (!isThere || !image.OnlyWithoutOwn))
            PassOn(asker.Holder, image);
        else
            asker.Holder.Tell(new Lease.Refused(NodeException.Describe(unidentified.Reason)));
    }

    private void OnDigested(Digested digested)
    {
        if (digested.Digest.Length > 0)
            Context.Parent.Tell(new ImagesActor.Identified(digested.Key, digested.Digest));
        if (digested.Key != _current.Key)
            return;
        if (digested.Problem is { } problem)
            _log.Warning("No digest of the image: {0}", problem.Message);
        _current.Digest = digested.Digest;
        Tell(_known with { Digest = digested.Digest });
    }

    private void OnHeld(LoopDeviceActor.Held held)
    {
        // The device of an older file may still have users.
        if (Sender.Equals(_current.Device))
            Context.Parent.Tell(new Used([.. held.Holders.Select(holder => holder.Path.Name).Order(StringComparer.Ordinal)], held.LoopDevice));
    }

    private static void PassOn(IActorRef holder, WantedImage image) => Context.Parent.Tell(new ImagesActor.AcquireStored(holder, image));

    private void Tell(Known known)
    {
        if (known != _known || known.Path is null)
            Context.Parent.Tell(known);
        _known = known;
    }
}
