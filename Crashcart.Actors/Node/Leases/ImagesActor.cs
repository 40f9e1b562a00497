using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Node.Leases;

/// <summary>Leads each acquirer to the loop device of the image file as it is at that moment.</summary>
internal sealed class ImagesActor : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly IImages _images;
    private int _generation;
    private (string Key, IActorRef Device) _current = ("", ActorRefs.Nobody);

    public ImagesActor(IImages images)
    {
        _images = images;
        Receive<Lease.Acquire>(_ => Identify(Sender));
        Receive<Identified>(OnIdentified);
        Receive<Unidentified>(OnUnidentified);
        Receive<Digested>(OnDigested);
    }

    /// <summary>To the parent: the digest of the image that sessions get now; empty when there is none.</summary>
    public sealed record Known(string Digest) : ILocalMessage;

    private sealed record Identified(IActorRef Holder, ImageFile File) : ILocalMessage;

    private sealed record Unidentified(IActorRef Holder, Exception Reason) : ILocalMessage;

    private sealed record Digested(string Key, string Digest, Exception? Problem) : ILocalMessage;

    public static Props Props(IImages images) => Akka.Actor.Props.Create(() => new ImagesActor(images));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    protected override void PreStart() => Identify(ActorRefs.Nobody);

    protected override void PostStop() => _lifetime.End();

    private void Identify(IActorRef holder) =>
        _images.IdentifyAsync(_lifetime.Token).PipeTo(
            Self, success: file => new Identified(holder, file), failure: e => new Unidentified(holder, e));

    private void OnIdentified(Identified identified)
    {
        if (identified.File.Key != _current.Key)
            Replace(identified.File);
        if (!identified.Holder.IsNobody())
            _current.Device.Tell(Lease.Acquire.Instance, identified.Holder);
    }

    private void Replace(ImageFile file)
    {
        _log.Info("Using image {0}", file.Path);
        _current.Device.Tell(LoopDeviceActor.Retire.Instance);
        _current = (file.Key, Context.ActorOf(LoopDeviceActor.Props(_images, file), $"{file.Key}-{++_generation}"));
        _images.DigestAsync(file, _lifetime.Token).PipeTo(
            Self,
            success: digest => new Digested(file.Key, digest, null),
            failure: e => new Digested(file.Key, "", e));
    }

    private void OnUnidentified(Unidentified unidentified)
    {
        _log.Warning("No image: {0}", unidentified.Reason.Message);
        Context.Parent.Tell(new Known(""));
        unidentified.Holder.Tell(new Lease.Refused(NodeException.Describe(unidentified.Reason)));
    }

    private void OnDigested(Digested digested)
    {
        if (digested.Key != _current.Key)
            return;
        if (digested.Problem is { } problem)
            _log.Warning("No digest of the image: {0}", problem.Message);
        Context.Parent.Tell(new Known(digested.Digest));
    }
}
