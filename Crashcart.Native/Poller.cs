using System.Runtime.InteropServices;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// Owns the process's one epoll(7) instance and the one thread that waits on it, so that no wait for a pipe, terminal,
/// socket or process costs a thread. A program that does one thing lends its own thread for it: <see cref="Run"/>.
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
    private int _lentThreads;
    private bool _hasThread;

    private Poller()
    {
        int fd = epoll_create1(EPOLL_CLOEXEC);
        _epoll = fd < 0 ? throw new SyscallException("epoll_create1", errno) : new Descriptor(fd);
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

    /// <summary>
    /// Runs the work on this thread, and whatever it awaits of the poller too, until it is done. It saves a program that
    /// lives for milliseconds the start of three threads. The work may not block on what it could await.
    /// </summary>
    public static T Run<T>(Func<Task<T>> work)
    {
        Poller poller = LazyShared.Value;
        Interlocked.Increment(ref poller._lentThreads);
        try
        {
            Task<T> task = work();
            poller.RunUntil(task);
            return task.GetAwaiter().GetResult();
        }
        finally
        {
            poller.TakeBackThread();
        }
    }

    /// <summary>
    /// Calls back once, on a thread of the pool, when the handle is readable. Disposing the result takes that back.
    /// </summary>
    internal static IDisposable OnReadable(SafeHandle handle, Action callback)
    {
        var wait = new Wait(handle, EPOLLIN, () => ThreadPool.UnsafeQueueUserWorkItem(static action => action(), callback, preferLocal: false));
        if (!LazyShared.Value.Add(wait))
            wait.Complete();
        return wait;
    }

    private async Task WaitAsync(SafeHandle handle, int events, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        // The poller's own thread is for nobody else's work; a lent one is for just that.
        var completion = new TaskCompletionSource(
            Volatile.Read(ref _lentThreads) > 0 ? TaskCreationOptions.None : TaskCreationOptions.RunContinuationsAsynchronously);
        using var wait = new Wait(handle, events, () => completion.TrySetResult());
        if (!Add(wait))
            return;
        await using CancellationTokenRegistration registration =
            cancellation.UnsafeRegister((_, token) => completion.TrySetCanceled(token), null);
        await completion.Task.ConfigureAwait(false);
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
                EnsureThread();
                return true;
            }
            interest.Waits.Remove(wait);
            return error == EPERM ? false : throw new SyscallException("epoll_ctl", error, $"descriptor {wait.Number}");
        }
    }

    private void Remove(Wait wait)
    {
        lock (_gate)
        {
            if (_interests.TryGetValue(wait.Number, out Interest? interest) && interest.Waits.Remove(wait))
                Rearm(interest);
        }
    }

    // Under the lock.
    private void EnsureThread()
    {
        if (_hasThread || Volatile.Read(ref _lentThreads) > 0)
            return;
        _hasThread = true;
        new Thread(RunForever) { IsBackground = true, Name = "crashcart-poller" }.UnsafeStart();
    }

    private void TakeBackThread()
    {
        lock (_gate)
        {
            Interlocked.Decrement(ref _lentThreads);
            if (_interests.Count > 0)
                EnsureThread();
        }
    }

    private void RunForever()
    {
        while (true)
            RunOnce();
    }

    private unsafe void RunUntil(Task task)
    {
        if (task.IsCompleted)
            return;
        // Another thread may complete the task while this one waits for the kernel.
        int fd = eventfd(0, EFD_CLOEXEC);
        using var wake = fd < 0 ? throw new SyscallException("eventfd", errno) : new Descriptor(fd);
        using var wait = new Wait(wake, EPOLLIN, static () => { });
        Add(wait);
        Task woken = task.ContinueWith(_ => wake.Write(BitConverter.GetBytes(1L)), TaskContinuationOptions.ExecuteSynchronously);
        while (!task.IsCompleted)
            RunOnce();
        woken.Wait();
    }

    private unsafe void RunOnce()
    {
        const int Batch = 64;
        epoll_event* ready = stackalloc epoll_event[Batch];
        int count = epoll_wait(_epoll.Number, ready, Batch, -1);
        if (count < 0 && errno != EINTR)
            throw new SyscallException("epoll_wait", errno);
        List<Wait> completed = [];
        lock (_gate)
        {
            for (int i = 0; i < count; i++)
                OnReady(ready[i], completed);
        }
        // Not under the lock: on a lent thread what has waited goes on here.
        foreach (Wait wait in completed)
            wait.Complete();
    }

    private void OnReady(epoll_event e, List<Wait> completed)
    {
        // The generation tells an event from one that was fetched before its handle was closed and the number reused.
        int number = (int)(e.data.u64 & 0xffffffff);
        if (!_interests.TryGetValue(number, out Interest? interest) || interest.Generation != (uint)(e.data.u64 >> 32))
            return;
        int events = (e.events & (EPOLLERR | EPOLLHUP)) != 0 ? EPOLLIN | EPOLLOUT : e.events;
        completed.AddRange(interest.Waits.Where(wait => (wait.Events & events) != 0));
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

    /// <summary>One who waits, until it is disposed of.</summary>
    private sealed class Wait : IDisposable
    {
        private readonly SafeHandle _handle;
        private readonly Action _complete;

        /// <param name="complete">Called by the thread that polls.</param>
        public Wait(SafeHandle handle, int events, Action complete)
        {
            bool added = false;
            handle.DangerousAddRef(ref added);
            _handle = handle;
            _complete = complete;
            Number = (int)handle.DangerousGetHandle();
            Events = events;
        }

        public int Number { get; }

        public int Events { get; }

        public void Complete() => _complete();

        public void Dispose()
        {
            LazyShared.Value.Remove(this);
            _handle.DangerousRelease();
        }
    }
}
