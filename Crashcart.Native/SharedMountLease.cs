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
            SharedMountLock held = await SharedMountLock.TakeEitherAsync(target, Patience, cancellation).ConfigureAwait(false);
            bool isOurs = false;
            try
            {
                int? before = SharedMount.Find(target)?.MountId;
                isOurs = before is null;
                SharedMount mount = await SharedMount.FindOrAttachAsync(target, image, cancellation).ConfigureAwait(false);
                if (before is null)
                    held.SessionMountId = mount.MountId;
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

    // Whoever attached it may have been killed, or given up on, after the mount was made: nobody else would know whose it is.
    private static async Task TakeBackAsync(TargetProcess target, SharedMountLock held)
    {
        try
        {
            if (!held.IsExclusive || SharedMount.Find(target) is not { } mount)
                return;
            held.SessionMountId = mount.MountId;
            if (await SharedMountProgram.DetachAsync(target, mount, lazily: true, CancellationToken.None).ConfigureAwait(false))
                held.SessionMountId = null;
        }
        catch (CrashcartException)
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
            bool detached = true;
            try
            {
                if (_lock.SessionMountId is { } id)
                    detached = await DetachAsync(id).ConfigureAwait(false);
            }
            catch (CrashcartException e) when (e.Reason == FailureReason.TargetGone)
            {
                // The container has ended, and its mounts with it.
            }
            finally
            {
                // What the container hides from us is told to whoever unmounts, and is the next session's to detach.
                if (detached)
                    _lock.RemoveIfExclusive();
            }
        }
    }

    // Lazily: what else uses it in the container came by what this session has brought.
    private async Task<bool> DetachAsync(int id)
    {
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return SharedMount.Find(_target) is { } mount && mount.MountId == id
                    ? await SharedMountProgram.DetachAsync(_target, mount, lazily: true, CancellationToken.None).ConfigureAwait(false)
                    : SharedMount.OutOfReach(_target) is null;
            }
            catch (CrashcartException e) when (e.Reason != FailureReason.TargetGone && attempt < Attempts)
            {
                // Tried again below; the last failure is told.
            }
        }
    }
}
