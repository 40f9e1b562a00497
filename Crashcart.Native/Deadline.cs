using Crashcart.Native.Syscalls;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// Cancels after a time, or when another token does. The kernel keeps the time, timerfd_create(2), for the first timer of
/// the runtime costs a process that lives for milliseconds a thread.
/// </summary>
internal sealed class Deadline : IDisposable
{
    private readonly CancellationTokenSource _source;
    private readonly Descriptor _timer;
    private readonly IDisposable _wait;

    private Deadline(Descriptor timer, CancellationToken cancellation)
    {
        _timer = timer;
        _source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _wait = Poller.OnReadable(timer, Expire);
    }

    public CancellationToken Token => _source.Token;

    /// <exception cref="SyscallException">No more descriptors.</exception>
    public static unsafe Deadline After(TimeSpan time, CancellationToken cancellation = default)
    {
        int fd = Calls.timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        var timer = fd < 0 ? throw new SyscallException("timerfd_create", errno) : new Descriptor(fd);
        var once = new itimerspec { value_sec = (long)time.TotalSeconds, value_nsec = time.Ticks % TimeSpan.TicksPerSecond * 100 };
        return Calls.timerfd_settime(fd, 0, &once, null) != 0
            ? throw new SyscallException("timerfd_settime", errno)
            : new Deadline(timer, cancellation);
    }

    public void Dispose()
    {
        _wait.Dispose();
        _timer.Dispose();
        _source.Dispose();
    }

    private void Expire()
    {
        try
        {
            _source.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // What was to be done in time is done.
        }
    }
}
