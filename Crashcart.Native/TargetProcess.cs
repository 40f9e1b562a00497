namespace Crashcart.Native;

/// <summary>
/// One process whose namespaces are entered, held by a pidfd that was opened before anything about it was read, so that
/// a recycled PID is never entered.
/// </summary>
public sealed class TargetProcess : IDisposable
{
    private TargetProcess(int pid) => Pid = pid;

    public int Pid { get; }

    /// <summary>The container id (64 hex digits) in the process's cgroup path, or null when there is none.</summary>
    public string? ContainerId => throw new NotSupportedException();

    /// <summary>Whether the process lives in the mount namespace of the host (of this process).</summary>
    public bool SharesHostMounts => throw new NotSupportedException();

    /// <summary>Completes when the process is gone; costs no thread.</summary>
    public Task Exited => throw new NotSupportedException();

    /// <summary>Opens the process.</summary>
    /// <param name="pid">A PID in this process's PID namespace.</param>
    /// <param name="allowHost">Accept a process in the host's own mount namespace.</param>
    /// <param name="containerId">When given, the process's cgroup must name it; a mismatch is <see cref="FailureReason.TargetGone"/>.</param>
    /// <exception cref="CrashcartException">PID 0 or negative, gone, zombie, kernel thread, host's mount namespace, not root.</exception>
    public static TargetProcess Open(int pid, bool allowHost = false, string? containerId = null) => new(pid);

    /// <summary>PIDs of processes whose cgroup names a container id that starts with the prefix, one (the oldest) per container.</summary>
    public static IReadOnlyList<(string ContainerId, int Pid)> FindByContainerId(string prefix) => [];

    public void Dispose()
    {
    }
}
