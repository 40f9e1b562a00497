using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Sessions;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Reconciliation;

/// <summary>What is held on the node, as of one look at the kernel.</summary>
/// <param name="Digests">Of images, by their files' keys.</param>
internal sealed record LeaseListing(
    HostFindings Findings, IReadOnlyList<MountLease> Leases, IReadOnlyList<SessionFacts> Sessions, IReadOnlyDictionary<string, string> Digests)
{
    public static readonly LeaseListing Empty = new(new HostFindings([], []), [], [], new Dictionary<string, string>());

    /// <param name="containers">Those that the question selects.</param>
    /// <param name="all">The question selects everything, also what is in no container that the node knows.</param>
    public LeasesFound Describe(IReadOnlyCollection<ContainerDescription> containers, bool all)
    {
        var names = containers.ToDictionary(container => container.Id, container => container.Name);
        return new LeasesFound
        {
            Mounts = { Findings.Mounts.Where(mount => all || names.ContainsKey(mount.Container.Value)).Select(mount => Describe(mount, names)) },
            Sessions =
            {
                Sessions.Where(session => all || names.ContainsKey(session.Container.Value)).Select(session => new HeldSession
                {
                    SessionId = session.Id.Value,
                    RunId = session.Run.Value,
                    ContainerId = session.Container.Value,
                    Container = names.GetValueOrDefault(session.Container.Value, ""),
                    Tool = session.Tool,
                    Shared = session.Shared,
                    SinceUnixMs = session.SinceUnixMs,
                    LoopDevice = session.LoopDevice,
                    ImageDigest = Digests.GetValueOrDefault(session.ImageKey, ""),
                }),
            },
        };
    }

    private HeldMount Describe(FoundMount mount, IReadOnlyDictionary<string, string> names)
    {
        var lease = Leases.FirstOrDefault(lease => lease.IsOn(mount));
        var sessions = Sessions.Where(session => session.Shared && mount.At.IsDefault && session.Container == mount.Container).Select(session => session.Id.Value);
        return new HeldMount
        {
            ContainerId = mount.Container.Value,
            Container = names.GetValueOrDefault(mount.Container.Value, lease?.ContainerName ?? ""),
            LoopDevice = mount.LoopDevice,
            Image = mount.ImagePath,
            ImageDigest = Digests.GetValueOrDefault(mount.ImageKey, ""),
            LeaseId = lease?.Id.Value ?? "",
            Holders = { lease is null ? sessions : sessions.Prepend(lease.Holder) },
            SinceUnixMs = lease?.SinceUnixMs ?? mount.SessionsSinceUnixMs,
            Pid = mount.Pid,
            Path = mount.At.ToString(),
        };
    }
}
