namespace Crashcart.Native;

/// <summary>An image in a container's own mount namespace, seen by everything in it: one at each <see cref="MountPath"/>.</summary>
/// <param name="MountId">As in /proc/PID/mountinfo.</param>
/// <param name="LoopDevice">/dev/loopN</param>
/// <param name="BackingFile">As <see cref="LoopDeviceInfo"/> has it.</param>
public sealed record SharedMount(int MountId, string LoopDevice, string BackingFile)
{
    /// <summary>Where the image is for sessions, by shared and private mounts alike.</summary>
    public const string Path = "/dev/crashcart";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Sessions hold the lock for as long as they last, and others for milliseconds.
    private static readonly TimeSpan DetachPatience = TimeSpan.FromMilliseconds(500);

    public MountPath At { get; private init; }

    /// <summary>Which image file it is, and in what state, as <see cref="ImageIdentity.Key"/>.</summary>
    public string ImageKey => Tag;

    /// <summary>Which image it is: the tag of its loop device.</summary>
    internal string Tag { get; private init; } = "";

    internal int DeviceMajor { get; private init; }

    internal int DeviceMinor { get; private init; }

    /// <summary>Our mount in the target, or null. A mount at that path that is not ours is not ours to see.</summary>
    /// <exception cref="CrashcartException">The target is gone.</exception>
    public static SharedMount? Find(TargetProcess target, MountPath at = default) =>
        target.ReadMounts().LastOrDefault(mount => mount.MountPoint == at.ToString()) is { } mount ? Of(mount, at) : null;

    /// <summary>Mounts the image; when the same image is already there, that is the answer. It stays until it is detached.</summary>
    /// <exception cref="CrashcartException">
    /// Another image is mounted there; the image's programs would not start there; the container's /dev cannot take a mount; hostile path.
    /// </exception>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public static async Task<SharedMount> AttachAsync(
        TargetProcess target, AttachedImage image, MountPath at = default, CancellationToken cancellation = default)
    {
        if (!at.IsDefault && image.IsBuiltForDefaultPath)
            throw Misplaced(image, at);
        // Sessions share the lock when the image is there, and then it need not be attached.
        using SharedMountLock held = await SharedMountLock.TakeEitherAsync(target, at, Patience, cancellation).ConfigureAwait(false);
        try
        {
            SharedMount mount = await FindOrAttachAsync(target, at, image, held, forSessions: false, cancellation).ConfigureAwait(false);
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
    /// <param name="at">Which of the container's.</param>
    /// <param name="force">Detach lazily when sessions or processes of the container still use it.</param>
    /// <exception cref="CrashcartException">Busy: names the processes. Covered or moved by the container: says by what, or where to.</exception>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public static async Task<bool> DetachAsync(
        TargetProcess target, bool force = false, MountPath at = default, CancellationToken cancellation = default)
    {
        using SharedMountLock? held = await SharedMountLock.TryTakeAsync(target, at, DetachPatience, cancellation).ConfigureAwait(false);
        if (Find(target, at) is not { } mount)
        {
            if (OutOfReach(target, at) is { } misplaced)
                throw misplaced;
            held?.RemoveIfExclusive();
            return false;
        }
        if (held is null && !force)
            throw Busy(target, mount);
        try
        {
            if (!await SharedMountProgram.DetachAsync(target, mount, force, cancellation).ConfigureAwait(false) && OutOfReach(target, at) is { } misplaced)
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
        TargetProcess target, MountPath at, AttachedImage image, SharedMountLock held, bool forSessions, CancellationToken cancellation)
    {
        if (FindSame(target, at, image) is { } mount)
            return mount;
        RequireNoPropagation(target, at);
        using Descriptor tree = image.CloneTree();
        // Whose it is must be known before it is there, or nobody knows it when this process is killed as soon as it is.
        void Announce() => held.SessionMountId = forSessions ? MountInfo.IdOf(tree) : null;
        await SharedMountProgram.AttachAsync(target, at, tree, Announce, cancellation).ConfigureAwait(false);
        return FindSame(target, at, image) ?? throw new CrashcartException(
            FailureReason.TargetHostile,
            $"The image was mounted at {at} in the container of process {target.Pid} and is not there: something in it unmounted it.");
    }

    private static SharedMount? FindSame(TargetProcess target, MountPath at, AttachedImage image)
    {
        SharedMount? mount = Find(target, at);
        return mount is null || mount.Tag == image.Tag.Value
            ? mount
            : throw new CrashcartException(
                FailureReason.Busy,
                $"Another image, '{mount.BackingFile}', is mounted at {at} in the container of process {target.Pid}: "
                + "unmount it first, use the private mount, or mount at another place with --at.");
    }

    // What is mounted on a shared mount appears in all its peers, which may be other containers' or the host's.
    private static void RequireNoPropagation(TargetProcess target, MountPath at)
    {
        if (MountInfo.Containing(target.ReadMounts(), at.ToString()) is { PeerGroup: { } group } parent)
        {
            throw new CrashcartException(
                FailureReason.TargetHostile,
                $"The image cannot be mounted for all of the container of process {target.Pid}, for its mount '{parent.MountPoint}' "
                + $"propagates to others (shared:{group}): use the private mount, which does not.");
        }
    }

    private static SharedMount? Of(MountInfo mount, MountPath at) =>
        LoopDevices.Find(mount.DeviceMajor, mount.DeviceMinor) is { } device
            ? new SharedMount(mount.Id, device.Device, device.BackingFile)
            {
                At = at,
                Tag = device.Tag,
                DeviceMajor = device.DeviceMajor,
                DeviceMinor = device.DeviceMinor,
            }
            : null;

    /// <summary>A mount of ours that the container has moved, or put something over: it is not at its path to be unmounted.</summary>
    internal static CrashcartException? OutOfReach(TargetProcess target, MountPath at = default)
    {
        IReadOnlyList<MountInfo> mounts = target.ReadMounts();
        string path = at.ToString();
        // What is at another place of ours is that one's.
        if (mounts.FirstOrDefault(mount => Of(mount, at) is not null && (MountPath.TryParse(mount.MountPoint) ?? at) == at) is not { } ours)
            return null;
        string what = $"The image in the container of process {target.Pid}";
        if (ours.MountPoint != path)
        {
            return new CrashcartException(
                FailureReason.TargetHostile, $"{what} is not at {at} but at '{ours.MountPoint}', where the container has put it: unmount it there.");
        }
        HashSet<int> under = [ours.Id];
        for (MountInfo? parent = ours; parent is not null && (parent == ours || under.Add(parent.Id));)
            parent = mounts.FirstOrDefault(mount => mount.Id == parent.ParentId);
        MountInfo? cover = mounts.LastOrDefault(
            mount => !under.Contains(mount.Id) && (path + "/").StartsWith(mount.MountPoint.TrimEnd('/') + "/", StringComparison.Ordinal));
        return new CrashcartException(
            FailureReason.TargetHostile,
            cover is null
                ? $"{what} cannot be unmounted, for its /dev is being changed: try again."
                : $"{what} is covered by something of the container's, '{cover.Source}' ({cover.FileSystem}) at {cover.MountPoint}: unmount that first.");
    }

    private static CrashcartException Misplaced(AttachedImage image, MountPath at) => new(
        FailureReason.BadRequest,
        $"The programs of the image '{image.Path}' are built for {Path} and would run with what is there, or not at all, so it is not mounted at {at}: "
        + "mount it without --at, run its tools by a private mount ('crashcart exec -i'), or take an image of data or static programs.");

    private static CrashcartException Busy(TargetProcess target, SharedMount mount)
    {
        IReadOnlyList<string> users = MountUsers.Find(target, mount);
        string who = users.Count == 0 ? "a session" : string.Join(", ", users);
        return new CrashcartException(
            FailureReason.Busy,
            $"{mount.At} in the container of process {target.Pid} cannot be unmounted, for it is used by {who}: end that first, or use --force.");
    }
}
