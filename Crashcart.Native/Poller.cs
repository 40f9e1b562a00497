using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// Owns the process's one epoll(7) instance and the one thread that waits on it, so that no wait for a pipe, terminal,
/// socket or process costs a thread.
/// </summary>
/// <remarks>
/// A handle is in the epoll set only while somebody waits for it, and a wait holds a reference on it. So its number cannot
/// be reused while the kernel still knows it.
/// </remarks>
public sealed class Poller
{
    private static readonly Lazy<Poller> LazyShared = new(() => new Poller());

    private readonly Lock _gate = new();
    private readonly Dictionary<int, Interest> _interests = [];
    private readonly Descriptor _epoll;
    private uint _generation;

    private Poller()
    {
        int fd = epoll_create1(EPOLL_CLOEXEC);
        _epoll = fd < 0 ? throw new SyscallException("epoll_create1", errno) : new Descriptor(fd);
        new Thread(Run) { IsBackground = true, Name = "crashcart-poller" }.UnsafeStart();
    }

    /// <summary>
    /// Completes when a read would not block: there is data, the end of the file, or an error. A pidfd becomes readable
    /// when its process ends, pidfd_open(2).
    /// </summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    /// <exception cref="SyscallException">epoll_ctl(2) refused the handle.</exception>
    public static Task WaitReadable(SafeHandle handle, CancellationToken cancellation = default) =>
        LazyShared.Value.WaitAsync(handle, EPOLLIN, cancellation);

    /// <summary>Completes when a write would not block: there is room, or nobody reads any more.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    /// <exception cref="SyscallException">epoll_ctl(2) refused the handle.</exception>
    public static Task WaitWritable(SafeHandle handle, CancellationToken cancellation = default) =>
        LazyShared.Value.WaitAsync(handle, EPOLLOUT, cancellation);

    private async Task WaitAsync(SafeHandle handle, int events, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        using var wait = new Wait(handle, events);
        if (!Add(wait))
            return;
        await using CancellationTokenRegistration registration =
            cancellation.UnsafeRegister(token => Cancel(wait, (CancellationToken)token!), cancellation);
        await wait.Completion.Task.ConfigureAwait(false);
    }

    /// <returns>False for a handle that is always ready, such as a regular file.</returns>
    private bool Add(Wait wait)
    {
        lock (_gate)
        {
            bool known = _interests.TryGetValue(wait.Number, out Interest? interest);
            interest ??= new Interest(wait.Number, ++_generation);
            interest.Waits.Add(wait);
            int error = Arm(interest, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD);
            if (error == 0)
            {
                _interests[wait.Number] = interest;
                return true;
            }
            interest.Waits.Remove(wait);
            return error == EPERM ? false : throw new SyscallException("epoll_ctl", error, $"descriptor {wait.Number}");
        }
    }

    private void Cancel(Wait wait, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_interests.TryGetValue(wait.Number, out Interest? interest) && interest.Waits.Remove(wait))
                Rearm(interest);
        }
        wait.Completion.TrySetCanceled(cancellation);
    }

    private unsafe void Run()
    {
        const int Batch = 64;
        epoll_event* ready = stackalloc epoll_event[Batch];
        while (true)
        {
            int count = epoll_wait(_epoll.Number, ready, Batch, -1);
            if (count < 0 && errno != EINTR)
                throw new SyscallException("epoll_wait", errno);
            lock (_gate)
            {
                for (int i = 0; i < count; i++)
                    OnReady(ready[i]);
            }
        }
    }

    private void OnReady(epoll_event e)
    {
        // The generation tells an event from one that was fetched before its handle was closed and the number reused.
        int number = (int)(e.data.u64 & 0xffffffff);
        if (!_interests.TryGetValue(number, out Interest? interest) || interest.Generation != (uint)(e.data.u64 >> 32))
            return;
        int events = (e.events & (EPOLLERR | EPOLLHUP)) != 0 ? EPOLLIN | EPOLLOUT : e.events;
        foreach (Wait wait in interest.Waits)
        {
            if ((wait.Events & events) != 0)
                wait.Completion.TrySetResult();
        }
        interest.Waits.RemoveAll(wait => (wait.Events & events) != 0);
        Rearm(interest);
    }

    private unsafe void Rearm(Interest interest)
    {
        if (interest.Waits.Count > 0)
        {
            Arm(interest, EPOLL_CTL_MOD);
            return;
        }
        _interests.Remove(interest.Number);
        epoll_event unused;
        _ = epoll_ctl(_epoll.Number, EPOLL_CTL_DEL, interest.Number, &unused);
    }

    private unsafe int Arm(Interest interest, int operation)
    {
        var e = new epoll_event { events = EPOLLONESHOT };
        e.data.u64 = ((ulong)interest.Generation << 32) | (uint)interest.Number;
        foreach (Wait wait in interest.Waits)
            e.events |= wait.Events;
        return epoll_ctl(_epoll.Number, operation, interest.Number, &e) == 0 ? 0 : errno;
    }

    /// <summary>Everybody who waits for one descriptor.</summary>
    private sealed class Interest(int number, uint generation)
    {
        public int Number { get; } = number;

        public uint Generation { get; } = generation;

        public List<Wait> Waits { get; } = [];
    }

    private sealed class Wait : IDisposable
    {
        private readonly SafeHandle _handle;

        public Wait(SafeHandle handle, int events)
        {
            bool added = false;
            handle.DangerousAddRef(ref added);
            _handle = handle;
            Number = (int)handle.DangerousGetHandle();
            Events = events;
        }

        public int Number { get; }

        public int Events { get; }

        public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public void Dispose() => _handle.DangerousRelease();
    }
}
