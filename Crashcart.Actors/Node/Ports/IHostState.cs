namespace Crashcart.Actors.Node.Ports;

/// <summary>What the kernel of this host has of Crashcart's, whichever process made it, and how that is taken away.</summary>
public interface IHostState
{
    Task<HostFindings> LookAsync(CancellationToken cancellation);

    /// <summary>
    /// Takes away a mount that sessions made, when all of them were killed; one that somebody uses stays.
    /// </summary>
    /// <returns>Whether it was taken away.</returns>
    /// <exception cref="NodeException">The container's /dev does not let it go.</exception>
    Task<bool> ReleaseAsync(FoundMount mount, CancellationToken cancellation);

    /// <summary>Kills what is left of a session of this node's, and removes its cgroups.</summary>
    /// <exception cref="NodeException">The kernel refused.</exception>
    Task RemoveAsync(SessionId session, CancellationToken cancellation);
}

/// <param name="Mounts">Shared mounts of the image, in containers of this host.</param>
/// <param name="Sessions">Sessions of this node that have a cgroup.</param>
public sealed record HostFindings(IReadOnlyList<FoundMount> Mounts, IReadOnlyList<SessionId> Sessions);

/// <summary>A mount of the image that everything in a container sees.</summary>
/// <param name="Container">Its id; empty when the process is in none that can be recognised.</param>
/// <param name="Pid">A process of the container, its first when that is there.</param>
/// <param name="StartTime">In clock ticks since boot; with <paramref name="Pid"/> it names one process.</param>
/// <param name="MountId">No two mounts of a host have the same at one time.</param>
/// <param name="LoopDevice">/dev/loopN</param>
/// <param name="ImageKey">As <see cref="ImageFile.Key"/>.</param>
/// <param name="ImagePath">The file that the loop device has.</param>
/// <param name="At">Where it is in the container.</param>
/// <param name="MadeBySessions">Sessions made it, and the last of them takes it away.</param>
/// <param name="SessionsSinceUnixMs">When they made it, in milliseconds since 1970-01-01 UTC; 0 when they did not.</param>
public sealed record FoundMount(
    ContainerId Container,
    int Pid,
    ulong StartTime,
    int MountId,
    string LoopDevice,
    string ImageKey,
    string ImagePath,
    MountPath At,
    bool MadeBySessions,
    long SessionsSinceUnixMs = 0);
