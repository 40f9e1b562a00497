using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// One running crashcart-enter, our child. We reap it ourselves: the runtime only reaps children that it started.
/// </summary>
internal sealed class EnterChild : IAsyncDisposable
{
    /// <summary>It bounds its own waiting when it kills and cleans up; what takes longer has been stopped or hangs.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private readonly Descriptor _pidfd;

    /// <param name="control">Disposed of by this.</param>
    public EnterChild(int pid, EnterControl control)
    {
        Pid = pid;
        Control = control;
        int fd = Calls.pidfd_open(pid, 0);
        _pidfd = new Descriptor(fd);
        if (fd < 0)
        {
            control.Dispose();
            throw new SyscallException("pidfd_open", errno, $"{pid}");
        }
    }

    public int Pid { get; }

    public EnterControl Control { get; }

    /// <summary>Has it end its session if it has not, and waits for its own end.</summary>
    public async Task EndAsync()
    {
        Control.SendKill();
        try
        {
            await WaitAsync().ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // Somebody else has waited for it, and reaped it.
        }
    }

    /// <summary>As <see cref="EndAsync"/>, and reaps it.</summary>
    public async ValueTask DisposeAsync()
    {
        await EndAsync().ConfigureAwait(false);
        Reap();
        _pidfd.Dispose();
        Control.Dispose();
    }

    private async Task WaitAsync()
    {
        try
        {
            using var limit = Deadline.After(Patience);
            await Poller.WaitReadable(_pidfd, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            KillNow();
            await Poller.WaitReadable(_pidfd).ConfigureAwait(false);
        }
    }

    private void KillNow()
    {
        using Descriptor.Borrowed pidfd = _pidfd.Borrow();
        _ = Calls.pidfd_send_signal(pidfd.Number, SIGKILL);
    }

    private unsafe void Reap()
    {
        siginfo_t info;
        // ECHILD: whoever started us has SIGCHLD ignored, and the kernel has reaped it.
        if (Calls.waitid(P_PIDFD, _pidfd.Number, &info, WEXITED | WNOHANG) != 0 && errno != ECHILD)
            throw new SyscallException("waitid", errno, $"P_PIDFD, {Pid}");
    }
}
