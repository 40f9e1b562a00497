using Crashcart.Actors.Protocol;
using Crashcart.Api;

namespace Crashcart.Coordinator.Api;

/// <summary>Between the API's messages and the nodes' own, for what is held.</summary>
internal static class LeaseMapping
{
    public static MountLease ToApi(string node, HeldMount mount) => new()
    {
        Node = node,
        ContainerId = mount.ContainerId,
        Container = mount.Container,
        Pid = mount.Pid,
        Path = mount.Path,
        LoopDevice = mount.LoopDevice,
        Image = mount.Image,
        ImageDigest = mount.ImageDigest,
        LeaseId = mount.LeaseId,
        Holders = { mount.Holders },
        SinceUnixMs = mount.SinceUnixMs,
    };

    public static Session ToApi(string node, HeldSession session) => new()
    {
        Node = node,
        SessionId = session.SessionId,
        RunId = session.RunId,
        ContainerId = session.ContainerId,
        Container = session.Container,
        Tool = session.Tool,
        Shared = session.Shared,
        SinceUnixMs = session.SinceUnixMs,
        LoopDevice = session.LoopDevice,
        ImageDigest = session.ImageDigest,
    };

    public static ChangedMount ToApi(Actors.Fleet.ChangedMount changed) => new()
    {
        Container = ApiMapping.ToApi(changed.Target),
        Problem = changed.Problem,
        LeaseId = changed.LeaseId,
        WasMounted = changed.WasMounted,
    };
}
