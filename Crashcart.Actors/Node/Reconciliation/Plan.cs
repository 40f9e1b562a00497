using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Sessions;

namespace Crashcart.Actors.Node.Reconciliation;

/// <summary>What is to be taken away, of all that the kernel has.</summary>
/// <param name="Mounts">Mounts that sessions made, which may be used by others: whoever takes them away has to look.</param>
/// <param name="Sessions">Sessions of this node that nobody runs any more.</param>
internal sealed record Plan(IReadOnlyList<FoundMount> Mounts, IReadOnlyList<SessionId> Sessions)
{
    /// <param name="findings">What the kernel had.</param>
    /// <param name="alive">
    /// The sessions that there were after that. A session is known before it has a cgroup, so one that has a cgroup and is not
    /// known was forgotten.
    /// </param>
    public static Plan For(HostFindings findings, IReadOnlyList<SessionFacts> alive)
    {
        var ids = alive.Select(session => session.Id).ToHashSet();
        // A mount in a container where a session of this node uses the shared one is held by that.
        var used = alive.Where(session => session.Shared).Select(session => session.Container).ToHashSet();
        return new Plan(
            [.. findings.Mounts.Where(mount => mount.MadeBySessions && !used.Contains(mount.Container))],
            [.. findings.Sessions.Where(session => !ids.Contains(session))]);
    }
}
