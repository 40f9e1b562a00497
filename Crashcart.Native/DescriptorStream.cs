using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// Bytes through a non-blocking pipe or a terminal's master. Disposing it closes the descriptor (for a pipe to a tool
/// that is its end of file) and ends a read or write that waits with <see cref="ObjectDisposedException"/>.
/// </summary>
internal sealed class DescriptorStream : Stream
{
    private readonly Descriptor _descriptor;
    private readonly FileAccess _access;
    private readonly CancellationTokenSource _closed = new();

    public DescriptorStream(Descriptor descriptor, FileAccess access)
    {
        descriptor.SetNonBlocking();
        _descriptor = descriptor;
        _access = access;
    }

    public override bool CanRead => _access.HasFlag(FileAccess.Read) && !_closed.IsCancellationRequested;

    public override bool CanWrite => _access.HasFlag(FileAccess.Write) && !_closed.IsCancellationRequested;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Keeps the descriptor open for one call, such as an ioctl(2).</summary>
    public Descriptor.Borrowed Borrow() => _descriptor.Borrow();

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int n;
        while ((n = TryRead(buffer.Span)) < 0)
            await WaitAsync(Poller.WaitReadable, cancellationToken).ConfigureAwait(false);
        return n;
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            int n = TryWrite(buffer.Span);
            if (n < 0)
                await WaitAsync(Poller.WaitWritable, cancellationToken).ConfigureAwait(false);
            else
                buffer = buffer[n..];
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) =>
        ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) =>
        WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            // A wait holds the descriptor: it has to end before the descriptor can close.
            _closed.Cancel();
            _descriptor.Dispose();
        }
        base.Dispose(disposing);
    }

    private async Task WaitAsync(Func<Descriptor, CancellationToken, Task> ready, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closed.Token);
        try
        {
            await ready(_descriptor, either.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (_closed.IsCancellationRequested)
        {
            throw new ObjectDisposedException(nameof(DescriptorStream));
        }
    }

    /// <returns>The number of bytes; 0 at the end; -1 when there is nothing to read yet.</returns>
    private unsafe int TryRead(Span<byte> buffer)
    {
        using Descriptor.Borrowed file = _descriptor.Borrow();
        while (true)
        {
            int n;
            fixed (byte* p = buffer)
                n = (int)read(file.Number, p, buffer.Length);
            if (n >= 0)
                return n;
            // The last slave of a terminal is closed: its master tells that so, where a pipe returns 0.
            if (errno == EIO)
                return 0;
            if (errno == EAGAIN)
                return -1;
            if (errno != EINTR)
                throw new SyscallException("read", errno);
        }
    }

    /// <returns>The number of bytes taken, or -1 when there is no room yet.</returns>
    private unsafe int TryWrite(ReadOnlySpan<byte> buffer)
    {
        using Descriptor.Borrowed file = _descriptor.Borrow();
        while (true)
        {
            int n;
            fixed (byte* p = buffer)
                n = (int)write(file.Number, p, buffer.Length);
            if (n >= 0)
                return n;
            if (errno == EAGAIN)
                return -1;
            if (errno != EINTR)
                throw new SyscallException("write", errno);
        }
    }
}
