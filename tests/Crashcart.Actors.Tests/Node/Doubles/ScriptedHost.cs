using System.Collections.Concurrent;
using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>A host whose mounts and cgroups the spec scripts, with the file of its leases.</summary>
internal sealed class ScriptedHost : IHostState, IPeopleMounts, ILeaseStore
{
    private readonly ConcurrentDictionary<int, FoundMount> _mounts = new();
    private readonly ConcurrentDictionary<SessionId, bool> _sessions = new();
    private int _looks;
    private int _nextMount = 1000;

    public NodeException? AttachRefusal { get; set; }

    public NodeException? DetachRefusal { get; set; }

    public NodeException? LookFailure { get; set; }

    public NodeException? DiskFailure { get; set; }

    /// <summary>What a restarted node reads.</summary>
    public IReadOnlyList<MountLease> Kept { get; set; } = [];

    /// <summary>The looks wait for it, when there is one.</summary>
    public TaskCompletionSource? Hold { get; set; }

    /// <summary>Mount ids that somebody uses, so that they are not released.</summary>
    public HashSet<int> Used { get; } = [];

    public int Looks => Volatile.Read(ref _looks);

    public IReadOnlyCollection<FoundMount> Mounts => [.. _mounts.Values];

    public IReadOnlyCollection<SessionId> Sessions => [.. _sessions.Keys];

    /// <summary>Somebody on the host has mounted the image.</summary>
    public FoundMount Mount(int pid, ContainerId container, bool bySessions = false, string imageKey = "image-1", MountPath at = default)
    {
        var id = Interlocked.Increment(ref _nextMount);
        return _mounts[id] = new FoundMount(container, pid, 42, id, "/dev/loop7", imageKey, "/crashcart.img", at, bySessions);
    }

    public void Unmount(FoundMount mount) => _mounts.TryRemove(mount.MountId, out _);

    public void LeaveSession(string id) => _sessions[new SessionId(id)] = true;

    public async Task<HostFindings> LookAsync(CancellationToken cancellation)
    {
        var seen = new HostFindings([.. Mounts], [.. Sessions]);
        Interlocked.Increment(ref _looks);
        if (Hold is { } hold)
            await hold.Task;
        return LookFailure is { } reason ? throw reason : seen;
    }

    public Task<bool> ReleaseAsync(FoundMount mount, CancellationToken cancellation) =>
        Task.FromResult(!Used.Contains(mount.MountId) && _mounts.TryRemove(mount.MountId, out _));

    public Task RemoveAsync(SessionId session, CancellationToken cancellation)
    {
        _sessions.TryRemove(session, out _);
        return Task.CompletedTask;
    }

    public Task<FoundMount> AttachAsync(MountImage request, ITarget target, IAttachedImage image, CancellationToken cancellation) =>
        AttachRefusal is { } reason ? Task.FromException<FoundMount>(reason) : Task.FromResult(Mount(NodeSpec.Web.Pid, NodeSpec.Web.Id, imageKey: image.ImageKey, at: new MountPath(request.Path)));

    public Task<bool> DetachAsync(UnmountImage request, ITarget target, CancellationToken cancellation)
    {
        if (DetachRefusal is { } reason && !request.Force)
            return Task.FromException<bool>(reason);
        var mount = Mounts.FirstOrDefault(mount => mount.Container == NodeSpec.Web.Id && mount.At == new MountPath(request.Path));
        if (mount is not null)
            Unmount(mount);
        return Task.FromResult(mount is not null);
    }

    public Task<IReadOnlyList<MountLease>> ReadAsync(CancellationToken cancellation) => Task.FromResult(Kept);

    public Task WriteAsync(IReadOnlyList<MountLease> leases, CancellationToken cancellation)
    {
        if (DiskFailure is { } reason)
            return Task.FromException(reason);
        Kept = leases;
        return Task.CompletedTask;
    }
}
