using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// Standard input, output or error of this process, byte for byte. Unlike the console's streams it edits no lines and tells
/// of a closed pipe; unlike a file stream it keeps no position of its own, so that two descriptors may share one file.
/// </summary>
public sealed class StandardStream : Stream
{
    private readonly int _descriptor;

    private StandardStream(int descriptor) => _descriptor = descriptor;

    public static StandardStream Input { get; } = new(0);

    public static StandardStream Output { get; } = new(1);

    public static StandardStream Error { get; } = new(2);

    public override bool CanRead => _descriptor == 0;

    public override bool CanWrite => _descriptor != 0;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Blocks until there is something to read; 0 is end of file. A terminal that was hung up is at its end.</summary>
    /// <exception cref="SyscallException">read(2)</exception>
    public override unsafe int Read(Span<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            while (true)
            {
                var count = (int)read(_descriptor, start, (size_t)buffer.Length);
                if (count >= 0)
                    return count;
                var error = errno;
                if (error == EIO)
                    return 0;
                if (!MayRetry(error, POLLIN))
                    throw new SyscallException("read", error, "standard input");
            }
        }
    }

    /// <summary>Blocks until everything is written.</summary>
    /// <exception cref="SyscallException">write(2): EPIPE when nobody reads any more.</exception>
    public override unsafe void Write(ReadOnlySpan<byte> buffer)
    {
        fixed (byte* start = buffer)
        {
            for (var done = 0; done < buffer.Length;)
            {
                var count = (int)write(_descriptor, start + done, (size_t)(buffer.Length - done));
                if (count >= 0)
                {
                    done += count;
                    continue;
                }

                var error = errno;
                if (!MayRetry(error, POLLOUT))
                    throw new SyscallException("write", error, _descriptor == 1 ? "standard output" : "standard error");
            }
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    // Whoever shares the descriptor may have made it non-blocking; then this waits in poll(2).
    private unsafe bool MayRetry(int error, short readiness)
    {
        if (error == EINTR)
            return true;
        if (error != EAGAIN)
            return false;
        var wait = new pollfd { fd = _descriptor, events = readiness };
        _ = poll(&wait, 1, -1);
        return true;
    }
}
