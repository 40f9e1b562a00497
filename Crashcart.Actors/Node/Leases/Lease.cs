using Akka.Actor;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// How an actor holds an image or a mount: it acquires, is granted or refused by the owner, and releases. A holder that
/// stops has released.
/// </summary>
internal static class Lease
{
    public sealed record Acquire : ILocalMessage
    {
        public static readonly Acquire Instance = new();
    }

    /// <summary>The sender is the owner; it is gone, and the lease with it, when it stops.</summary>
    public sealed record Granted(IAttachedImage Image) : ILocalMessage;

    /// <summary>The holder uses the image in a container's process; after its lease that keeps the image attached for the next one.</summary>
    public sealed record UsedIn(ContainerId Container, int Pid) : ILocalMessage;

    /// <summary>The image is being fetched, so the lease takes a while yet; comes again and again.</summary>
    /// <param name="Image">As people know it.</param>
    /// <param name="Received">Bytes, of <paramref name="Size"/>.</param>
    public sealed record Awaited(string Image, long Received, long Size) : ILocalMessage;

    public sealed record Refused(SessionFailure Failure) : ILocalMessage;

    public sealed record Release : ILocalMessage
    {
        public static readonly Release Instance = new();
    }

    /// <summary>Tells the image's owner where the image is used. Of a process that has exited it hears no more, so it is not told.</summary>
    public static void TellUse(IActorRef owner, Container container, ITarget target)
    {
        if (!target.Exited.IsCompleted)
            owner.Tell(new UsedIn(container.Id, container.Pid));
    }
}
