using System.Globalization;
using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// A lock file for one place of a shared mount in one mount namespace, so that processes that know nothing of each other agree
/// on it: held shared by every session that uses the mount, and exclusively to attach or detach it. In it is the id of a mount
/// that sessions made, and that the last of them has to detach; nobody detaches what a person attached.
/// </summary>
/// <remarks>
/// The file is unlinked only by who holds it exclusively, and who gets a lock looks whether its file is still the one at
/// the path. So no two hold locks on different files of the same name.
/// </remarks>
internal sealed class SharedMountLock : IDisposable
{
    private const string LockDirectory = "/run/crashcart";

    /// <summary>0755, whatever the umask is: the coordinator's socket is there, too, and has a mode of its own.</summary>
    private const ushort PassableMode = 0x1ED;

    private readonly Descriptor _file;
    private readonly string _path;
    private bool _exclusive;

    private SharedMountLock(Descriptor file, string path, bool exclusive)
    {
        _file = file;
        _path = path;
        _exclusive = exclusive;
    }

    /// <summary>The mount that sessions made, or null when there is none that is theirs.</summary>
    public int? SessionMountId
    {
        get => ParseId(ProcFile.TryRead(_path));
        set => Rewrite(value?.ToString(CultureInfo.InvariantCulture) ?? "");
    }

    /// <summary>The mount that sessions made in a namespace, without taking its lock; null when there is none that is theirs.</summary>
    public static int? ReadSessionMountId(FileIdentity space) => ParseId(ProcFile.TryRead(PathOf(space, default)));

    /// <summary>When it was last told what mount sessions made in a namespace.</summary>
    public static DateTimeOffset WrittenAt(FileIdentity space) => File.GetLastWriteTimeUtc(PathOf(space, default));

    /// <summary>Removes the files of all mount points, and of all namespaces but these, when nobody holds them.</summary>
    /// <returns>How many there were.</returns>
    public static int RemoveAll(IReadOnlySet<FileIdentity> except)
    {
        if (!Directory.Exists(LockDirectory))
            return 0;
        var kept = except.Select(SpaceName).ToHashSet(StringComparer.Ordinal);
        int removed = 0;
        // A mount point's file says nothing: whoever needs it makes it again.
        string[] points = Directory.GetFiles(LockDirectory, "point-*.lock");
        foreach (string path in Directory.GetFiles(LockDirectory, "mounts-*.lock").Where(path => !kept.Contains(SpaceName(path))).Concat(points))
        {
            using SharedMountLock? taken = TryTake(path, LOCK_EX);
            taken?.RemoveIfExclusive();
            removed += taken is null ? 0 : 1;
        }
        return removed;
    }

    /// <summary>Takes the lock exclusively; null when others still have it after that time.</summary>
    public static Task<SharedMountLock?> TryTakeAsync(
        TargetProcess target, MountPath at, TimeSpan patience, CancellationToken cancellation) =>
        TryTakeAsync(target, at, [LOCK_EX], patience, cancellation);

    /// <summary>Takes the lock exclusively, or shared with sessions that have it.</summary>
    /// <exception cref="CrashcartException">Somebody keeps it to himself.</exception>
    public static async Task<SharedMountLock> TakeEitherAsync(
        TargetProcess target, MountPath at, TimeSpan patience, CancellationToken cancellation) =>
        await TryTakeAsync(target, at, [LOCK_EX, LOCK_SH], patience, cancellation).ConfigureAwait(false)
        ?? throw Stuck(target, patience);

    /// <summary>
    /// Takes exclusively another lock, for the file system that the mount point is in: whether others use the mount point must
    /// not change while it is made or removed.
    /// </summary>
    /// <exception cref="CrashcartException">Somebody keeps it.</exception>
    public static async Task<SharedMountLock> TakePointAsync(
        TargetProcess target, SharedMountPoint point, TimeSpan patience, CancellationToken cancellation) =>
        await TryTakeAsync(PathOf(point), [LOCK_EX], patience, cancellation).ConfigureAwait(false)
        ?? throw Stuck(target, patience);

    /// <summary>From exclusive to shared. False when somebody else came in between: this lock is then lost, and to be disposed of.</summary>
    public bool TryShare() => TryConvert(LOCK_SH);

    /// <summary>From shared to exclusive. False when others share it: this lock is then lost, and to be disposed of.</summary>
    public bool TryOwn() => TryConvert(LOCK_EX);

    /// <summary>Whether nobody else has it.</summary>
    public bool IsExclusive => _exclusive;

    /// <summary>Removes the file, when the lock is exclusive: what it says is settled.</summary>
    public unsafe void RemoveIfExclusive()
    {
        if (!_exclusive)
            return;
        fixed (byte* path = Descriptor.CString(_path))
            _ = unlink(path);
    }

    /// <summary>Removes the file, when the lock is exclusive and the file says nothing that somebody will need.</summary>
    public void RemoveIfEmpty()
    {
        if (SessionMountId is null)
            RemoveIfExclusive();
    }

    public void Dispose() => _file.Dispose();

    private static CrashcartException Stuck(TargetProcess target, TimeSpan patience) => new(
        FailureReason.Busy,
        $"The shared mount of process {target.Pid} is being changed by another crashcart for {patience.TotalSeconds:0} s now: look for one that hangs.");

    private static Task<SharedMountLock?> TryTakeAsync(
        TargetProcess target, MountPath at, int[] kinds, TimeSpan patience, CancellationToken cancellation) =>
        TryTakeAsync(PathOf(target.MountNamespace, at), kinds, patience, cancellation);

    private static int? ParseId(string? text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? id : null;

    private static string PathOf(FileIdentity space, MountPath at) =>
        at.IsDefault ? $"{LockDirectory}/{SpaceName(space)}.lock" : $"{LockDirectory}/{SpaceName(space)}-{at.DirectoryName}.lock";

    private static string PathOf(SharedMountPoint point) => string.Create(
        CultureInfo.InvariantCulture, $"{LockDirectory}/point-{point.DeviceMajor}-{point.DeviceMinor}.lock");

    /// <summary>What the names of a namespace's files begin with.</summary>
    private static string SpaceName(FileIdentity space) => string.Create(CultureInfo.InvariantCulture, $"mounts-{space.DeviceMinor}-{space.Inode}");

    private static string SpaceName(string path) => string.Join('-', Path.GetFileNameWithoutExtension(path).Split('-').Take(3));

    private static async Task<SharedMountLock?> TryTakeAsync(string path, int[] kinds, TimeSpan patience, CancellationToken cancellation)
    {
        MakeDirectory();
        long deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        for (int wait = 1; ; wait = Math.Min(wait * 2, 16))
        {
            foreach (int kind in kinds)
            {
                if (TryTake(path, kind) is { } taken)
                    return taken;
            }
            if (Environment.TickCount64 >= deadline)
                return null;
            await Task.Delay(wait, cancellation).ConfigureAwait(false);
        }
    }

    private static SharedMountLock? TryTake(string path, int kind)
    {
        Descriptor file = Descriptor.TryOpen(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0x180 /* 0600 */)
            ?? throw new SyscallException("open", errno, path);
        var taken = new SharedMountLock(file, path, exclusive: false);
        if (taken.TryConvert(kind))
            return taken;
        taken.Dispose();
        return null;
    }

    private static unsafe void MakeDirectory()
    {
        fixed (byte* path = Descriptor.CString(LockDirectory))
        {
            if (mkdir(path, PassableMode) == 0)
                _ = chmod(path, PassableMode);
            else if (errno != EEXIST)
                throw new SyscallException("mkdir", errno, LockDirectory);
        }
    }

    private bool TryConvert(int kind)
    {
        if (Calls.flock(_file.Number, kind | LOCK_NB) != 0)
        {
            int error = errno;
            return error == EAGAIN || error == EINTR ? false : throw new SyscallException("flock", error, _path);
        }
        _exclusive = kind == LOCK_EX;
        return FileIdentity.Of(_path) == FileStatus.Of(_file).Identity;
    }

    private unsafe void Rewrite(string text)
    {
        if (ftruncate(_file.Number, 0) != 0)
            throw new SyscallException("ftruncate", errno, _path);
        if (text.Length > 0)
        {
            byte[] bytes = System.Text.Encoding.ASCII.GetBytes(text);
            fixed (byte* p = bytes)
            {
                if (pwrite(_file.Number, p, bytes.Length, 0) != bytes.Length)
                    throw new SyscallException("pwrite", errno, _path);
            }
        }
    }
}
