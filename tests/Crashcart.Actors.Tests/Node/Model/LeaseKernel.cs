namespace Crashcart.Actors.Tests.Node.Model;

/// <summary>What is mounted in containers' processes, as the kernel and the locks on mounts have it. The model and the world have one each.</summary>
internal sealed class LeaseKernel
{
    private readonly SortedDictionary<int, Mounted> _mounts = [];
    private readonly HashSet<int> _used = [];
    private readonly HashSet<int> _exited = [];
    private int _ids;

    public IReadOnlyDictionary<int, Mounted> Mounts => _mounts;

    public bool HasExited(int pid) => _exited.Contains(pid);

    /// <summary>Whether sessions use the image there now; the mount is theirs when there was none.</summary>
    public bool MountForSessions(int pid, string image)
    {
        if (!TryMount(pid, image, bySessions: true))
            return false;
        _used.Add(pid);
        return true;
    }

    /// <summary>No session uses it any more. What was theirs goes, unless that fails.</summary>
    public void EndSessions(int pid, bool succeeds)
    {
        _used.Remove(pid);
        if (succeeds && _mounts.TryGetValue(pid, out var mount) && mount.BySessions)
            _mounts.Remove(pid);
    }

    /// <summary>The mount, which from now on stays when its sessions are over; null when it cannot be.</summary>
    public Mounted? MountForPeople(int pid, string image)
    {
        if (!TryMount(pid, image, bySessions: false))
            return null;
        return _mounts[pid] = _mounts[pid] with { BySessions = false };
    }

    /// <summary>Whether there was a mount, which is gone; null when sessions use it.</summary>
    public bool? UnmountForPeople(int pid) => _used.Contains(pid) ? null : _mounts.Remove(pid);

    public bool Exit(int pid)
    {
        _used.Remove(pid);
        _mounts.Remove(pid);
        return _exited.Add(pid);
    }

    private bool TryMount(int pid, string image, bool bySessions) =>
        !HasExited(pid) && (_mounts.TryGetValue(pid, out var there) ? there.Image == image : _mounts.TryAdd(pid, new Mounted(++_ids, image, bySessions)));

    public sealed record Mounted(int Id, string Image, bool BySessions);
}
