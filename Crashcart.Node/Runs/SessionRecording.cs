using System.Globalization;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Node.Runs;

/// <summary>Takes what one session writes into its record, in place of a coordinator. The tool has no input.</summary>
/// <param name="maxBytes">Of output.</param>
internal sealed class SessionRecording(SessionRecord record, IOutputRoom room, long maxBytes, TimeProvider time) : ISessionCall
{
    // As much as a pipe usually gives at once.
    private const int ReadSize = 32 * 1024;

    private readonly CancellationTokenSource _disposed = new();
    private readonly Lock _lock = new();
    private long _written;
    private volatile string _why = "";
    private volatile SessionFailure? _failure;

    public async Task CarryAsync(ITool tool)
    {
        if (tool.StandardInput is not null)
            tool.CloseInput();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token);
        try
        {
            await Task.WhenAll(
                CopyAsync(tool.StandardOutput, data => new NodeFrame { Stdout = data }, stop),
                CopyAsync(tool.StandardError ?? Stream.Null, data => new NodeFrame { Stderr = data }, stop)).ConfigureAwait(false);
            var code = await tool.Exited.WaitAsync(stop.Token).ConfigureAwait(false);
            record.Complete(_failure is null ? new SessionEnd { ExitCode = code, Why = _why, UnixMs = Now() } : Failed(_failure));
        }
        catch (OperationCanceledException e)
        {
            throw new NodeException(NodeFailure.Failed, _failure?.Message ?? "The session was released before its tool had ended.", e);
        }
    }

    public void SayWhy(string why) => _why = why;

    public void EndAs(SessionFailure failure) => _failure = failure;

    public Task FailAsync(SessionFailure failure) => Task.Run(() => record.Complete(Failed(failure)));

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        _disposed.Dispose();
        await Task.Run(() => record.Complete(Failed(_failure ?? new SessionFailure
        {
            ExitCode = 125,
            Message = _why.Length > 0 ? _why : "The node ended the session before its tool had ended.",
        }))).ConfigureAwait(false);
    }

    private async Task CopyAsync(Stream output, Func<ByteString, NodeFrame> frame, CancellationTokenSource stop)
    {
        try
        {
            var buffer = new byte[ReadSize];
            while (await output.ReadAsync(buffer, stop.Token).ConfigureAwait(false) is > 0 and var n)
                Write(buffer.AsMemory(0, n), frame);
        }
        catch (Exception e) when (e is IOException or NodeException)
        {
            // The other output is not waited for.
            _failure = NodeException.Describe(e as NodeException ?? new NodeException(NodeFailure.Failed, Cut($"The node could not keep what the tool wrote: {e.Message.TrimEnd('.')}")));
            await stop.CancelAsync().ConfigureAwait(false);
            throw new OperationCanceledException(_failure.Message, e);
        }
    }

    private void Write(ReadOnlyMemory<byte> data, Func<ByteString, NodeFrame> frame)
    {
        lock (_lock)
        {
            var allowed = data[..(int)Math.Min(data.Length, maxBytes - _written)];
            _written += allowed.Length;
            if (allowed.Length > 0)
                Keep(frame(UnsafeByteOperations.UnsafeWrap(allowed)));
            if (allowed.Length < data.Length)
                throw new NodeException(NodeFailure.Failed, Cut($"It wrote more than --max-bytes allows ({Bytes(maxBytes)})"));
        }
    }

    private void Keep(NodeFrame frame)
    {
        var size = SessionRecord.SizeOf(frame);
        if (!room.Take(size))
            throw new NodeException(NodeFailure.Failed, Cut($"The node has no room for more output of runs (run-output-budget, {Bytes(room.Budget)})"));
        try
        {
            record.Append(frame);
        }
        catch (IOException)
        {
            room.Return(size);
            throw;
        }
    }

    private SessionEnd Failed(SessionFailure failure) => new() { ExitCode = failure.ExitCode, Failure = failure.Message, Why = "", UnixMs = Now() };

    private long Now() => time.GetUtcNow().ToUnixTimeMilliseconds();

    private static string Cut(string reason) => $"{reason}; what came before is whole, and the tool was ended.";

    private static string Bytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes:N0} bytes");
}
