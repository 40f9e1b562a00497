using System.Globalization;
using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// One process whose namespaces are entered, held by a pidfd that was opened before anything about it was read, so that
/// a recycled PID is never entered.
/// </summary>
public sealed class TargetProcess : IDisposable
{
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _disposed = new();
    private readonly Descriptor _directory;
    private Task? _exited;

    private TargetProcess(int pid, Descriptor pidfd, Descriptor directory, Descriptor root, Namespaces namespaces, ulong boundingSet)
    {
        Pid = pid;
        PidFd = pidfd;
        _directory = directory;
        Root = root;
        Namespaces = namespaces;
        BoundingSet = boundingSet;
        SharesHostMounts = Namespaces.SharesHostMounts(directory);
        ContainerId = FindContainerId();
        (OwnerUid, OwnerGid) = FindOwner();
    }

    public int Pid { get; }

    /// <summary>When it started, in clock ticks since boot, proc_pid_stat(5): with the PID it names one process.</summary>
    /// <exception cref="CrashcartException">The process is gone.</exception>
    public ulong StartTime => (ProcessStat.TryRead(_directory) ?? throw Gone(Pid)).StartTime;

    /// <summary>The container id (64 hex digits) in the process's cgroup path, or null when there is none.</summary>
    public string? ContainerId { get; }

    /// <summary>Whether the process lives in the mount namespace of the host (of this process, or of PID 1).</summary>
    public bool SharesHostMounts { get; }

    /// <summary>Completes when the process is gone; costs no thread. Disposing this cancels it.</summary>
    public Task Exited
    {
        get
        {
            lock (_gate)
                return _exited ??= Poller.WaitReadable(PidFd, _disposed.Token);
        }
    }

    /// <summary>
    /// The process is gone, or on its way: the first process of a PID namespace takes all others with it, and is gone after them.
    /// </summary>
    public bool IsExiting => ProcessStat.TryRead(_directory) is not { IsExiting: false, IsDead: false };

    internal Descriptor PidFd { get; }

    /// <summary>O_PATH of the process's root directory.</summary>
    internal Descriptor Root { get; }

    internal Namespaces Namespaces { get; }

    /// <summary>CapBnd: the most that a program of the container can have, as far as the container's runtime decided it.</summary>
    internal ulong BoundingSet { get; }

    /// <summary>The host's ids of root in the target's user namespace.</summary>
    internal uint OwnerUid { get; }

    internal uint OwnerGid { get; }

    /// <summary>Opens the process.</summary>
    /// <param name="pid">A PID in this process's PID namespace.</param>
    /// <param name="allowHost">Accept a process in the host's own mount namespace.</param>
    /// <param name="containerId">When given, the process's cgroup must name it; a mismatch is <see cref="FailureReason.TargetGone"/>.</param>
    /// <exception cref="CrashcartException">PID 0 or negative, gone, zombie, kernel thread, host's mount namespace, not root.</exception>
    public static TargetProcess Open(int pid, bool allowHost = false, string? containerId = null)
    {
        if (pid <= 0)
            throw new CrashcartException(FailureReason.BadRequest, $"{pid} is not a PID: name a process of the container, 1 or higher.");
        Privilege.Require($"enter process {pid}");
        Descriptor? directory = null, root = null;
        Descriptor pidfd = OpenPidFd(pid);
        try
        {
            directory = Descriptor.TryOpen(Directory(pid), O_PATH | O_DIRECTORY) ?? throw Gone(pid);
            RequireUserProcess(pid, ProcessStat.TryRead(directory) ?? throw Gone(pid));
            root = directory.TryOpenAt("root", O_PATH | O_DIRECTORY) ?? throw Unreadable(pid, "root directory", errno);
            Namespaces namespaces = Namespaces.Of(directory) ?? throw Unreadable(pid, "namespaces", errno);
            ulong boundingSet = Mask(ProcFile.TryRead(directory, "status") ?? throw Gone(pid), "CapBnd");
            var target = new TargetProcess(pid, pidfd, directory, root, namespaces, boundingSet);
            // Only when the process still lives is all that was read its own, and not of a successor with the same PID.
            RequireAlive(pid, pidfd);
            target.RequireContainer(allowHost, containerId);
            return target;
        }
        catch
        {
            root?.Dispose();
            directory?.Dispose();
            pidfd.Dispose();
            throw;
        }
    }

    /// <summary>PIDs of processes whose cgroup names a container id that starts with the prefix, one (the oldest) per container.</summary>
    public static IReadOnlyList<(string ContainerId, int Pid)> FindByContainerId(string prefix)
    {
        var oldest = new Dictionary<string, (ulong StartTime, int Pid)>(StringComparer.Ordinal);
        foreach (int pid in ProcessIds())
        {
            string? id = ContainerPath.Innermost(ProcFile.TryRead(Directory(pid) + "/cgroup") ?? "");
            if (id is null || !id.StartsWith(prefix, StringComparison.Ordinal))
                continue;
            if (ProcFile.TryRead(Directory(pid) + "/stat") is not { } stat || ProcessStat.Parse(stat) is not { IsDead: false } process)
                continue;
            if (!oldest.TryGetValue(id, out var known) || (process.StartTime, pid).CompareTo(known) < 0)
                oldest[id] = (process.StartTime, pid);
        }
        return [.. oldest.Select(found => (found.Key, found.Value.Pid)).Order()];
    }

    public void Dispose()
    {
        _disposed.Cancel();
        Root.Dispose();
        _directory.Dispose();
        PidFd.Dispose();
    }

    /// <summary>Reads a file of /proc/PID; null when the process is gone.</summary>
    internal string? TryReadProc(string name) => ProcFile.TryRead(_directory, name);

    /// <summary>The mounts that the process sees.</summary>
    /// <exception cref="CrashcartException">The process is gone, or sees more mounts than anybody can want.</exception>
    internal IReadOnlyList<MountInfo> ReadMounts()
    {
        string? text = ProcFile.TryRead(_directory, "mountinfo", out bool isTooLong);
        if (!isTooLong)
            return MountInfo.ParseAll(text ?? throw Gone(Pid));
        throw new CrashcartException(
            FailureReason.TargetHostile, $"The mounts of process {Pid} cannot be read, for there are too many of them: look at its /proc/{Pid}/mountinfo.");
    }

    /// <summary>Device and inode of the process's mount namespace.</summary>
    /// <exception cref="CrashcartException">The process is gone.</exception>
    internal FileIdentity MountNamespace => FileIdentity.At(_directory, "ns/mnt") ?? throw Gone(Pid);

    /// <summary>The PIDs in this process's PID namespace.</summary>
    internal static IEnumerable<int> ProcessIds()
    {
        foreach (string directory in System.IO.Directory.EnumerateFileSystemEntries("/proc"))
        {
            if (int.TryParse(Path.GetFileName(directory.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int pid))
                yield return pid;
        }
    }

    internal static CrashcartException Gone(int pid) =>
        new(FailureReason.TargetGone, $"Process {pid} is gone, or never was: look for the container's PID again.");

    private static string Directory(int pid) => "/proc/" + pid.ToString(CultureInfo.InvariantCulture);

    private static Descriptor OpenPidFd(int pid)
    {
        int fd = Calls.pidfd_open(pid, 0);
        if (fd >= 0)
            return new Descriptor(fd);
        int error = errno;
        if (error == ESRCH)
            throw Gone(pid);
        // EINVAL, and ENOENT since Linux 6.9: a thread, but not its process's first.
        if ((error == EINVAL || error == ENOENT) && ProcFile.TryRead(Directory(pid) + "/status") is { } status)
        {
            throw new CrashcartException(
                FailureReason.BadRequest, $"{pid} is a thread of process {ProcFile.Field(status, "Tgid")}: name the process.");
        }
        throw new SyscallException("pidfd_open", error, $"{pid}");
    }

    private static void RequireUserProcess(int pid, ProcessStat stat)
    {
        if (stat.IsKernelThread)
        {
            throw new CrashcartException(
                FailureReason.TargetRefused,
                $"Process {pid} ({stat.Name}) is a kernel thread, which is in no container: name a process of the container.");
        }
        if (stat.IsDead)
        {
            throw new CrashcartException(
                FailureReason.TargetGone,
                $"Process {pid} ({stat.Name}) has ended and only waits to be reaped: name a process that runs.");
        }
    }

    private static unsafe void RequireAlive(int pid, Descriptor pidfd)
    {
        var ended = new pollfd { fd = pidfd.Number, events = POLLIN };
        if (poll(&ended, 1, 0) != 0)
            throw Gone(pid);
    }

    private static CrashcartException Unreadable(int pid, string what, int error)
    {
        if (error == ENOENT || error == ESRCH)
            return Gone(pid);
        return new CrashcartException(
            error == EACCES || error == EPERM ? FailureReason.NotPermitted : FailureReason.System,
            $"The {what} of process {pid} cannot be opened ({SyscallException.Describe(error)}): "
            + "run as root with CAP_SYS_PTRACE and CAP_SYS_ADMIN in the host's user namespace.");
    }

    private static ulong Mask(string status, string field) =>
        ulong.Parse(ProcFile.Field(status, field) ?? "0", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    private void RequireContainer(bool allowHost, string? containerId)
    {
        if (SharesHostMounts && !allowHost)
        {
            throw new CrashcartException(
                FailureReason.TargetRefused,
                $"Process {Pid} is in the host's own mount namespace, in no container: to run on the host itself, say --host.");
        }
        if (containerId is null || containerId == ContainerId)
            return;
        if (!ContainerPath.Ids(TryReadProc("cgroup") ?? "").Contains(containerId))
        {
            throw new CrashcartException(
                FailureReason.TargetGone,
                $"Process {Pid} is no longer of container {containerId}: it has ended and its PID is used again; look for it again.");
        }
    }

    private string? FindContainerId() =>
        ContainerPath.Innermost(TryReadProc("cgroup") ?? "")
        ?? (SharesHostMounts || TryReadProc("mountinfo") is not { } mounts ? null : ContainerPath.IdByMounts(MountInfo.ParseAll(mounts)));

    private (uint Uid, uint Gid) FindOwner() => Namespaces.OwnUserNamespace
        ? (IdMap.OwnerOf(TryReadProc("uid_map") ?? ""), IdMap.OwnerOf(TryReadProc("gid_map") ?? ""))
        : (0, 0);
}
