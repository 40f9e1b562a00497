namespace Crashcart.Native;

/// <summary>The image at <c>/dev/crashcart</c> in a container's own mount namespace, seen by everything in it.</summary>
/// <param name="MountId">As in /proc/PID/mountinfo.</param>
/// <param name="LoopDevice">/dev/loopN</param>
/// <param name="BackingFile">As <see cref="LoopDeviceInfo"/> has it.</param>
public sealed record SharedMount(int MountId, string LoopDevice, string BackingFile)
{
    /// <summary>Where the image is, in shared and private mounts alike.</summary>
    public const string Path = "/dev/crashcart";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Sessions hold the lock for as long as they last, and others for milliseconds.
    private static readonly TimeSpan DetachPatience = TimeSpan.FromMilliseconds(500);

    /// <summary>Which image file it is, and in what state, as <see cref="ImageIdentity.Key"/>.</summary>
    public string ImageKey => Tag;

    /// <summary>Which image it is: the tag of its loop device.</summary>
    internal string Tag { get; private init; } = "";

    internal int DeviceMajor { get; private init; }

    internal int DeviceMinor { get; private init; }

    /// <summary>Our mount in the target, or null. A mount at that path that is not ours is not ours to see.</summary>
    /// <exception cref="CrashcartException">The target is gone.</exception>
    public static SharedMount? Find(TargetProcess target) =>
        target.ReadMounts().LastOrDefault(mount => mount.MountPoint == Path) is { } mount ? Of(mount) : null;

    /// <summary>Mounts the image; when the same image is already there, that is the answer. It stays until it is detached.</summary>
    /// <exception cref="CrashcartException">Another image is mounted there; the container's /dev cannot take a mount; hostile path.</exception>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public static async Task<SharedMount> AttachAsync(
        TargetProcess target, AttachedImage image, CancellationToken cancellation = default)
    {
        // Sessions share the lock when the image is there, and then it need not be attached.
        using SharedMountLock held = await SharedMountLock.TakeEitherAsync(target, Patience, cancellation).ConfigureAwait(false);
        try
        {
            SharedMount mount = await FindOrAttachAsync(target, image, held, forSessions: false, cancellation).ConfigureAwait(false);
            held.SessionMountId = null;
            return mount;
        }
        finally
        {
            held.RemoveIfEmpty();
        }
    }

    /// <summary>Unmounts ours and removes the mount point. Nothing mounted is no error: the answer is false.</summary>
    /// <param name="target">A process of the container.</param>
    /// <param name="force">Detach lazily when sessions or processes of the container still use it.</param>
    /// <exception cref="CrashcartException">Busy: names the processes. Covered or moved by the container: says by what, or where to.</exception>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public static async Task<bool> DetachAsync(TargetProcess target, bool force = false, CancellationToken cancellation = default)
    {
        using SharedMountLock? held = await SharedMountLock.TryTakeAsync(target, DetachPatience, cancellation).ConfigureAwait(false);
        if (Find(target) is not { } mount)
        {
            if (OutOfReach(target) is { } misplaced)
                throw misplaced;
            held?.RemoveIfExclusive();
            return false;
        }
        if (held is null && !force)
            throw Busy(target, mount);
        try
        {
            if (!await SharedMountProgram.DetachAsync(target, mount, force, cancellation).ConfigureAwait(false) && OutOfReach(target) is { } misplaced)
                throw misplaced;
        }
        catch (CrashcartException e) when (e.Reason == FailureReason.Busy)
        {
            throw Busy(target, mount);
        }
        held?.RemoveIfExclusive();
        return true;
    }

    /// <summary>For who holds the lock: the mount of this image that is there, or a new one.</summary>
    /// <param name="forSessions">A new one is the sessions' own, and the last of them takes it away.</param>
    internal static async Task<SharedMount> FindOrAttachAsync(
        TargetProcess target, AttachedImage image, SharedMountLock held, bool forSessions, CancellationToken cancellation)
    {
        if (FindSame(target, image) is { } mount)
            return mount;
        RequireNoPropagation(target);
        using Descriptor tree = image.CloneTree();
        // Whose it is must be known before it is there, or nobody knows it when this process is killed as soon as it is.
        void Announce() => held.SessionMountId = forSessions ? MountInfo.IdOf(tree) : null;
        await SharedMountProgram.AttachAsync(target, tree, Announce, cancellation).ConfigureAwait(false);
        return FindSame(target, image) ?? throw new CrashcartException(
            FailureReason.TargetHostile,
            $"The image was mounted at {Path} in the container of process {target.Pid} and is not there: something in it unmounted it.");
    }

    private static SharedMount? FindSame(TargetProcess target, AttachedImage image)
    {
        SharedMount? mount = Find(target);
        return mount is null || mount.Tag == image.Tag.Value
            ? mount
            : throw new CrashcartException(
                FailureReason.Busy,
                $"Another image, '{mount.BackingFile}', is mounted at {Path} in the container of process {target.Pid}: "
                + $"unmount it first, or use the private mount.");
    }

    // What is mounted on a shared mount appears in all its peers, which may be other containers' or the host's.
    private static void RequireNoPropagation(TargetProcess target)
    {
        if (MountInfo.Containing(target.ReadMounts(), Path) is { PeerGroup: { } group } parent)
        {
            throw new CrashcartException(
                FailureReason.TargetHostile,
                $"The image cannot be mounted for all of the container of process {target.Pid}, for its mount '{parent.MountPoint}' "
                + $"propagates to others (shared:{group}): use the private mount, which does not.");
        }
    }

    private static SharedMount? Of(MountInfo mount) =>
        LoopDevices.Find(mount.DeviceMajor, mount.DeviceMinor) is { } device
            ? new SharedMount(mount.Id, device.Device, device.BackingFile)
            {
                Tag = device.Tag,
                DeviceMajor = device.DeviceMajor,
                DeviceMinor = device.DeviceMinor,
            }
            : null;

    /// <summary>A mount of ours that the container has moved, or put something over: it is not at its path to be unmounted.</summary>
    internal static CrashcartException? OutOfReach(TargetProcess target)
    {
        IReadOnlyList<MountInfo> mounts = target.ReadMounts();
        if (mounts.FirstOrDefault(mount => Of(mount) is not null) is not { } ours)
            return null;
        string what = $"The image in the container of process {target.Pid}";
        if (ours.MountPoint != Path)
        {
            return new CrashcartException(
                FailureReason.TargetHostile, $"{what} is not at {Path} but at '{ours.MountPoint}', where the container has put it: unmount it there.");
        }
        HashSet<int> under = [ours.Id];
        for (MountInfo? parent = ours; parent is not null && (parent == ours || under.Add(parent.Id));)
            parent = mounts.FirstOrDefault(mount => mount.Id == parent.ParentId);
        MountInfo? cover = mounts.LastOrDefault(
            mount => !under.Contains(mount.Id) && (Path + "/").StartsWith(mount.MountPoint.TrimEnd('/') + "/", StringComparison.Ordinal));
        return new CrashcartException(
            FailureReason.TargetHostile,
            cover is null
                ? $"{what} cannot be unmounted, for its /dev is being changed: try again."
                : $"{what} is covered by something of the container's, '{cover.Source}' ({cover.FileSystem}) at {cover.MountPoint}: unmount that first.");
    }

    private static CrashcartException Busy(TargetProcess target, SharedMount mount)
    {
        IReadOnlyList<string> users = MountUsers.Find(target, mount);
        string who = users.Count == 0 ? "a session" : string.Join(", ", users);
        return new CrashcartException(
            FailureReason.Busy,
            $"{Path} in the container of process {target.Pid} cannot be unmounted, for it is used by {who}: end that first, or use --force.");
    }
}
