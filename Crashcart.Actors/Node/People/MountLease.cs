using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Node.People;

/// <summary>A person's claim on one shared mount in one container: it lasts until it is given back or the container ends.</summary>
/// <param name="ContainerName">As it was when the lease began; for people.</param>
/// <param name="Holder">Who asked for it; for people.</param>
/// <param name="SinceUnixMs">Milliseconds since 1970-01-01 UTC.</param>
/// <param name="ImageDigest">sha256: and 64 hex digits; empty as long as it is not known.</param>
public sealed record MountLease(LeaseId Id, FoundMount Mount, string ContainerName, string Holder, long SinceUnixMs, string ImageDigest = "")
{
    /// <summary>Who holds a mount that a node finds and knows nothing of: it was made by the command line, on the host itself.</summary>
    public const string OnTheHost = "on the host";

    public bool IsIn(ContainerId container, int pid) => Mount.Pid == pid && Mount.Container == container;

    /// <summary>Whether this lease is on that mount, which is the same as long as it was not taken away.</summary>
    public bool IsOn(FoundMount mount) => (Mount.MountId, Mount.ImageKey) == (mount.MountId, mount.ImageKey);
}
