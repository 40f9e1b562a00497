using System.Buffers.Binary;
using System.Text;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>What crashcart-enter says.</summary>
internal enum EnterMessageKind
{
    /// <summary>Comes with the master of the tool's terminal.</summary>
    Terminal = 1,

    /// <summary>The tool was executed; A is its PID.</summary>
    Started = 2,

    /// <summary>A is errno; the text is stage, NUL, detail. Nothing is left.</summary>
    Failed = 3,

    /// <summary>A is the exit status, B the signal. Everything in the session is dead.</summary>
    Exited = 4,

    /// <summary>A is the mount id, or 0 when nothing was mounted.</summary>
    Done = 5,
}

/// <summary>One datagram from crashcart-enter.</summary>
/// <param name="Descriptor">The receiver's to dispose of.</param>
internal readonly record struct EnterMessage(EnterMessageKind Kind, int A, int B, string Text, Descriptor? Descriptor);

/// <summary>
/// This end of the socket to one crashcart-enter. When it is closed, whoever closed it, the program ends its session.
/// </summary>
internal sealed class EnterControl : IDisposable
{
    private const int Signal = 1;
    private const int Kill = 2;
    private const int Go = 3;
    private const int HeaderSize = 12;
    private const int LargestMessage = 8192;

    private readonly Descriptor _socket;

    private EnterControl(Descriptor socket) => _socket = socket;

    /// <exception cref="SyscallException">socketpair(2) failed.</exception>
    public static unsafe (EnterControl Ours, Descriptor Theirs) Create()
    {
        int* pair = stackalloc int[2];
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0
            ? throw new SyscallException("socketpair", errno)
            : (new EnterControl(new Descriptor(pair[0])), new Descriptor(pair[1]));
    }

    /// <summary>The next message; null when the program has ended.</summary>
    public async Task<EnterMessage?> ReceiveAsync(CancellationToken cancellation = default)
    {
        while (true)
        {
            if (TryReceive(out EnterMessage? message))
                return message;
            await Poller.WaitReadable(_socket, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Has a signal delivered to the tool's process group. A program that has ended is no error.</summary>
    public void SendSignal(int signal) => Send(Signal, signal);

    /// <summary>Has everything in the session killed. A program that has ended is no error.</summary>
    public void SendKill() => Send(Kill, 0);

    /// <summary>Tells that the session's cgroups are made. Until then the program waits; told to end instead, it leaves them alone.</summary>
    public void SendGo() => Send(Go, 0);

    public void Dispose() => _socket.Dispose();

    private unsafe void Send(int kind, int value)
    {
        byte* datagram = stackalloc byte[8];
        BinaryPrimitives.WriteInt32LittleEndian(new Span<byte>(datagram, 4), kind);
        BinaryPrimitives.WriteInt32LittleEndian(new Span<byte>(datagram + 4, 4), value);
        try
        {
            using Descriptor.Borrowed socket = _socket.Borrow();
            _ = send(socket.Number, datagram, 8, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        catch (ObjectDisposedException)
        {
            // The session has ended.
        }
    }

    /// <returns>False when there is no message yet; true with null when there never will be.</returns>
    private unsafe bool TryReceive(out EnterMessage? message)
    {
        const int ControlSize = 64;
        byte* data = stackalloc byte[LargestMessage];
        byte* control = stackalloc byte[ControlSize];
        var part = new iovec { iov_base = data, iov_len = LargestMessage };
        var header = new msghdr { msg_iov = &part, msg_iovlen = 1, msg_control = control, msg_controllen = ControlSize };
        int n;
        using (Descriptor.Borrowed socket = _socket.Borrow())
        {
            do
            {
                n = (int)recvmsg(socket.Number, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
            }
            // A peer that ends with messages unread resets the connection, which is told once and before what the peer said last.
            while (n < 0 && (errno == EINTR || errno == ECONNRESET));
        }
        message = null;
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n < 0)
            throw new SyscallException("recvmsg", errno);
        Descriptor? descriptor = TakeDescriptor(&header);
        if (n < HeaderSize)
        {
            descriptor?.Dispose();
            return true;
        }
        var bytes = new ReadOnlySpan<byte>(data, n);
        message = new EnterMessage(
            (EnterMessageKind)BinaryPrimitives.ReadInt32LittleEndian(bytes),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[4..]),
            BinaryPrimitives.ReadInt32LittleEndian(bytes[8..]),
            Encoding.UTF8.GetString(bytes[HeaderSize..]),
            descriptor);
        return true;
    }

    private static unsafe Descriptor? TakeDescriptor(msghdr* header)
    {
        for (cmsghdr* c = CMSG_FIRSTHDR(header); c != null; c = CMSG_NXTHDR(header, c))
        {
            if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
                return new Descriptor(*(int*)CMSG_DATA(c));
        }
        return null;
    }
}
