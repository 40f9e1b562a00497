namespace Crashcart.Native;

/// <summary>
/// One session's claim on the shared mount. The last claim to be given back detaches the mount, when sessions made it.
/// </summary>
public sealed class SharedMountLease : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>How often the detaching is tried: its program may be killed, or not be started for want of memory.</summary>
    private const int Attempts = 3;

    private readonly TargetProcess _target;
    private readonly SharedMountLock _lock;

    private SharedMountLease(TargetProcess target, SharedMountLock held, int mountId)
    {
        _target = target;
        _lock = held;
        MountId = mountId;
    }

    /// <summary>Of the mount that is claimed.</summary>
    public int MountId { get; }

    /// <exception cref="CrashcartException">Another image is there; the container's /dev cannot take a mount.</exception>
    public static async Task<SharedMountLease> TakeAsync(TargetProcess target, AttachedImage image, CancellationToken cancellation)
    {
        while (true)
        {
            SharedMountLock held = await SharedMountLock.TakeEitherAsync(target, default, Patience, cancellation).ConfigureAwait(false);
            bool isOurs = false;
            try
            {
                isOurs = SharedMount.Find(target) is null;
                SharedMount mount = await SharedMount.FindOrAttachAsync(target, default, image, held, forSessions: true, cancellation).ConfigureAwait(false);
                // Changing the lock's kind lets others in for a moment: it counts only when the mount is there after that.
                if (held.TryShare() && SharedMount.Find(target)?.MountId == mount.MountId)
                    return new SharedMountLease(target, held, mount.MountId);
                held.Dispose();
            }
            catch
            {
                using (held)
                {
                    if (isOurs)
                        await TakeBackAsync(target, held).ConfigureAwait(false);
                    held.RemoveIfEmpty();
                }
                throw;
            }
        }
    }

    // Whoever attached it may have been killed, or given up on, after the mount was made.
    private static async Task TakeBackAsync(TargetProcess target, SharedMountLock held)
    {
        try
        {
            if (held.IsExclusive && held.SessionMountId is { } id && await DetachAsync(target, id).ConfigureAwait(false))
                held.SessionMountId = null;
        }
        catch (Exception e) when (e is CrashcartException or SyscallException)
        {
            // What is in the way was told already; the mount is marked as one that the next session takes away.
        }
    }

    public async ValueTask DisposeAsync()
    {
        using (_lock)
        {
            if (!_lock.TryOwn())
                return;
            // As long as the mount is there, the file says whose it is: what could not be detached is the next session's to detach.
            if (_lock.SessionMountId is not { } id || await DetachAsync(_target, id).ConfigureAwait(false))
                _lock.RemoveIfExclusive();
        }
    }

    /// <summary>Lazily: what else uses it in the container came by what this session has brought.</summary>
    /// <returns>False when the container hides it from us; whoever unmounts is told of it.</returns>
    private static async Task<bool> DetachAsync(TargetProcess target, int id)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return SharedMount.Find(target) is { } mount && mount.MountId == id
                    ? await SharedMountProgram.DetachAsync(target, mount, lazily: true, CancellationToken.None).ConfigureAwait(false)
                    : SharedMount.OutOfReach(target) is null;
            }
            catch (CrashcartException e) when (e.Reason == FailureReason.TargetGone)
            {
                // The container has ended, and its mounts with it.
                return true;
            }
            catch (Exception e) when (attempt < Attempts && e is SyscallException or CrashcartException { Reason: FailureReason.System })
            {
                // Tried again below; the last failure is told.
            }
        }
    }
}
