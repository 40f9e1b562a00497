using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Node.People;

/// <summary>The leases that people hold, and how they are brought together with what the kernel has.</summary>
internal sealed class LeaseTable
{
    private readonly Dictionary<LeaseId, MountLease> _all = [];
    private readonly Dictionary<string, string> _digests = [];

    // Kept by the process before, and not yet found.
    private readonly HashSet<LeaseId> _restored = [];

    public IReadOnlyList<MountLease> All => [.. _all.Values.OrderBy(lease => lease.SinceUnixMs)];

    /// <summary>The digests of images that are known, by their files' keys.</summary>
    public IReadOnlyDictionary<string, string> Digests => new Dictionary<string, string>(_digests);

    /// <summary>The lease on the mount: the one that is known, or a new one.</summary>
    public MountLease Hold(FoundMount mount, string container, string holder, DateTimeOffset now)
    {
        if (_all.Values.FirstOrDefault(lease => lease.IsOn(mount)) is { } known)
        {
            // Found first, and then told of by whoever asked for it.
            return known.Holder == MountLease.OnTheHost
                ? _all[known.Id] = known with { Holder = holder, ContainerName = container }
                : known;
        }

        var lease = new MountLease(LeaseId.New(), mount, container, holder, now.ToUnixTimeMilliseconds(), DigestOf(mount));
        _all.Add(lease.Id, lease);
        return lease;
    }

    /// <summary>Takes up a lease that was kept.</summary>
    public void Restore(MountLease lease)
    {
        _all[lease.Id] = lease;
        _restored.Add(lease.Id);
        if (lease.ImageDigest.Length > 0)
            _digests[lease.Mount.ImageKey] = lease.ImageDigest;
    }

    /// <summary>Ends the leases in a container's process, and returns them.</summary>
    /// <param name="at">Only those at this place; null is all.</param>
    public IReadOnlyList<MountLease> End(ContainerId container, int pid, MountPath? at = null) =>
        EndWhere(lease => lease.IsIn(container, pid) && (at ?? lease.Mount.At) == lease.Mount.At);

    /// <summary>The container's name has become known.</summary>
    public void Name(ContainerId container, string name)
    {
        foreach (var lease in _all.Values.Where(lease => lease.Mount.Container == container).ToList())
            _all[lease.Id] = lease with { ContainerName = name };
    }

    /// <summary>It has become known which image a file in one state is.</summary>
    /// <returns>Whether that changes a lease.</returns>
    public bool Identify(string imageKey, string digest)
    {
        _digests[imageKey] = digest;
        var unnamed = _all.Values.Where(lease => lease.Mount.ImageKey == imageKey && lease.ImageDigest != digest).ToList();
        foreach (var lease in unnamed)
            _all[lease.Id] = lease with { ImageDigest = digest };
        return unnamed.Count > 0;
    }

    /// <summary>
    /// Brings the leases together with the mounts that are there: a mount that somebody made and nobody told of gets a
    /// lease, and a lease without its mount ends.
    /// </summary>
    /// <param name="known">The leases that there were before the mounts were looked for; younger ones are left alone.</param>
    public Settlement Settle(IReadOnlyList<FoundMount> found, IReadOnlySet<LeaseId> known, DateTimeOffset now)
    {
        var ended = EndWhere(lease => known.Contains(lease.Id) && !found.Any(lease.IsOn));
        var adopted = found
            .Where(mount => !mount.MadeBySessions && !_all.Values.Any(lease => lease.IsOn(mount)))
            .Select(mount => Hold(mount, "", MountLease.OnTheHost, now))
            .ToList();
        var takenUp = _all.Values.Where(lease => _restored.Contains(lease.Id) && found.Any(lease.IsOn)).ToList();
        _restored.ExceptWith(takenUp.Concat(ended).Select(lease => lease.Id));
        return new Settlement(takenUp, adopted, ended);
    }

    private string DigestOf(FoundMount mount) => _digests.GetValueOrDefault(mount.ImageKey, "");

    private List<MountLease> EndWhere(Func<MountLease, bool> isOver)
    {
        var ended = _all.Values.Where(isOver).ToList();
        foreach (var lease in ended)
            _all.Remove(lease.Id);
        return ended;
    }
}

/// <summary>What a look at the kernel has changed about the leases.</summary>
/// <param name="TakenUp">Kept by the process before, with their mounts: found for the first time.</param>
/// <param name="Adopted">On mounts that nobody had told of.</param>
/// <param name="Ended">Their mounts are gone.</param>
internal sealed record Settlement(IReadOnlyList<MountLease> TakenUp, IReadOnlyList<MountLease> Adopted, IReadOnlyList<MountLease> Ended)
{
    public bool ChangesSomething => Adopted.Count + Ended.Count > 0;
}
