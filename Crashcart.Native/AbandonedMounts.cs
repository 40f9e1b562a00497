namespace Crashcart.Native;

/// <summary>What sessions leave of shared mounts when their processes are killed: the mount, and the file that tells of it.</summary>
public static class AbandonedMounts
{
    /// <summary>
    /// Takes away the mount that sessions made in the container, when none of them is alive, whichever process they were
    /// of. Others' mounts stay.
    /// </summary>
    /// <returns>Whether there was one.</returns>
    /// <exception cref="CrashcartException">The target is gone, or its /dev is not as it has to be.</exception>
    public static async Task<bool> ReleaseAsync(TargetProcess target, CancellationToken cancellation = default)
    {
        // Whoever uses the mount holds the lock, and a lock ends with its holder.
        using SharedMountLock? held = await SharedMountLock.TryTakeAsync(target, default, TimeSpan.Zero, cancellation).ConfigureAwait(false);
        if (held is null)
            return false;
        SharedMount? mount = SharedMount.Find(target);
        bool isAbandoned = mount is not null && mount.MountId == held.SessionMountId;
        // What the container hides goes with it; until then the file says whose it is.
        if (isAbandoned
            ? !await SharedMountProgram.DetachAsync(target, mount!, lazily: true, cancellation).ConfigureAwait(false)
            : mount is null && SharedMount.OutOfReach(target) is not null)
        {
            return false;
        }
        held.RemoveIfExclusive();
        return isAbandoned;
    }

    /// <summary>Removes the lock files that nobody holds, of mount points and of mount namespaces that no process is in any more.</summary>
    /// <returns>How many there were.</returns>
    public static int RemoveLocks()
    {
        var alive = TargetProcess.ProcessIds()
            .Select(pid => FileIdentity.Of($"/proc/{pid}/ns/mnt"))
            .OfType<FileIdentity>()
            .ToHashSet();
        return SharedMountLock.RemoveAll(alive);
    }
}
