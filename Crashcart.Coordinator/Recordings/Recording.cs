using System.Security.Cryptography;
using Crashcart.Coordinator.Streams;

namespace Crashcart.Coordinator.Recordings;

/// <param name="IsWhole">Otherwise the disk or a limit ended it before the session's end.</param>
/// <param name="Sha256">Of the file, 64 hex digits.</param>
internal sealed record RecordingEnd(string Id, bool IsWhole, long Bytes, string Sha256);

/// <summary>
/// The recording of one session that goes on. Whoever delivers something records it first and waits for that, so a slow disk slows the session
/// and nobody else; each event is with the kernel before its bytes are anybody's.
/// </summary>
internal sealed class Recording
{
    /// <summary>Of what one event holds, in bytes: a bound for the memory that a session needs.</summary>
    private const int Piece = 16 << 10;

    private readonly RecordingHeader _header;
    private readonly FileStream _file;
    private readonly TimeProvider _time;
    private readonly long _began;
    private readonly Action<long> _reserve;
    private readonly Func<Recording, bool, Task> _close;
    private readonly RecordingLines _lines;
    private readonly Room _turn = new(1);
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private long _size;
    private string? _failure;
    private RecordingEnd? _end;

    /// <param name="reserve">Takes room for so many bytes, or throws <see cref="RecordingException"/>; a negative number gives it back.</param>
    /// <param name="close">Puts the file where it stays, given whether it is whole.</param>
    public Recording(RecordingHeader header, FileStream file, TimeProvider time, Action<long> reserve, Func<Recording, bool, Task> close)
    {
        _header = header;
        _file = file;
        _time = time;
        _began = time.GetTimestamp();
        _reserve = reserve;
        _close = close;
        _lines = new RecordingLines(header.IsTerminal);
    }

    public RecordingHeader Header => _header;

    public FileStream File => _file;

    /// <summary>Bytes.</summary>
    public long Size => Volatile.Read(ref _size);

    public TimeSpan Length => _time.GetElapsedTime(_began);

    /// <exception cref="RecordingException">It cannot be written.</exception>
    public Task BeginAsync() => InTurnAsync(() => AppendAsync(_header.ToLine()));

    /// <summary>Completes when it is recorded; input of a recording that has none is passed over.</summary>
    /// <exception cref="RecordingException">It cannot be written.</exception>
    /// <exception cref="OperationCanceledException">It is over.</exception>
    public Task WriteAsync(RecordedStream stream, ReadOnlyMemory<byte> bytes) => stream == RecordedStream.Input && !_header.HasInput
        ? Task.CompletedTask
        : InTurnAsync(async () =>
        {
            for (ReadOnlyMemory<byte> rest = bytes; !rest.IsEmpty; rest = rest[Math.Min(Piece, rest.Length)..])
            {
                _lines.Add(Length, stream, rest.Span[..Math.Min(Piece, rest.Length)]);
                await AppendLinesAsync();
            }
        });

    /// <inheritdoc cref="WriteAsync"/>
    public Task ResizeAsync(WindowCells size) => !_header.IsTerminal ? Task.CompletedTask : InTurnAsync(() =>
    {
        _lines.AddResize(Length, size);
        return AppendLinesAsync();
    });

    /// <summary>Nothing is recorded any more, and the file is where it stays. Again it says the same.</summary>
    /// <param name="how">The session ended.</param>
    public async Task<RecordingEnd> EndAsync(string how)
    {
        await _turn.Take(CancellationToken.None);
        try
        {
            return _end ??= await CloseAsync(how);
        }
        finally
        {
            _turn.Return();
        }
    }

    private async Task<RecordingEnd> CloseAsync(string how)
    {
        if (_failure is null)
        {
            try
            {
                _lines.AddEnd(Length, how);
                await AppendLinesAsync();
            }
            catch (RecordingException)
            {
                // What is there stays, and is not whole.
            }
        }
        bool isWhole = _failure is null;
        await _close(this, isWhole);
        using (_hash)
            return new RecordingEnd(_header.Id, isWhole, _size, Convert.ToHexStringLower(_hash.GetHashAndReset()));
    }

    private async Task InTurnAsync(Func<Task> write)
    {
        await _turn.Take(CancellationToken.None);
        try
        {
            if (_end is not null)
                throw new OperationCanceledException("The recording is over.");
            if (_failure is not null)
                throw new RecordingException(_failure);
            await write();
        }
        finally
        {
            _turn.Return();
        }
    }

    private async Task AppendLinesAsync()
    {
        await AppendAsync(_lines.Written);
        _lines.Clear();
    }

    private async Task AppendAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            _reserve(bytes.Length);
            await WriteAsync(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or RecordingException)
        {
            _failure = e.Message.TrimEnd('.');
            throw new RecordingException(_failure, e);
        }
        _hash.AppendData(bytes.Span);
        Volatile.Write(ref _size, _size + bytes.Length);
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await RandomAccess.WriteAsync(_file.SafeFileHandle, bytes, _size);
        }
        catch (IOException)
        {
            _reserve(-bytes.Length);
            throw;
        }
    }
}
