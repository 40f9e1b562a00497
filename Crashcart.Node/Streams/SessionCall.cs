using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
using Grpc.Core;

namespace Crashcart.Node.Streams;

/// <summary>One session's gRPC call.</summary>
internal sealed class SessionCall(AsyncDuplexStreamingCall<NodeFrame, CoordinatorFrame> call, string endpoint) : ISessionCall
{
    // Each frame wakes several threads on its way; above 85,000 bytes those who copy it would fill the large object heap.
    private const int ReadSize = 64 * 1024;

    // A call takes one write at a time. Waiters get their turns in order, so neither of two outputs starves the other.
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CancellationTokenSource _disposed = new();
    private volatile bool _ending;
    private volatile string _why = "";
    private volatile SessionFailure? _failure;

    public Task CarryAsync(ITool tool) => TellAsync(async () =>
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token);
        await WriteAsync(new NodeFrame { Began = new SessionBegan() }, stop.Token).ConfigureAwait(false);

        var outgoing = SendAsync(tool, stop.Token);
        var incoming = ReceiveAsync(tool, stop.Token);
        await Task.WhenAny(outgoing, incoming).ConfigureAwait(false);
        // The coordinator's side ends after the exit status, or because the call broke; then nobody takes the output.
        if (!outgoing.IsCompletedSuccessfully && !_ending)
            await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(outgoing, incoming).ConfigureAwait(false);
    });

    /// <summary>Sends frames that were kept; the last is an exit frame.</summary>
    /// <exception cref="NodeException">The call broke, or the frames could not be read.</exception>
    public Task RelayAsync(IAsyncEnumerable<NodeFrame> frames, CancellationToken cancellation) => TellAsync(async () =>
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_disposed.Token, cancellation);
        var outgoing = SendAsync(frames, stop.Token);
        var incoming = DrainAsync(stop.Token);
        await Task.WhenAny(outgoing, incoming).ConfigureAwait(false);
        // Frames that may come only hours later are for nobody, when the reader has gone.
        if (!outgoing.IsCompletedSuccessfully && !_ending)
            await stop.CancelAsync().ConfigureAwait(false);
        await Task.WhenAll(outgoing, incoming).ConfigureAwait(false);
    });

    public void SayWhy(string why) => _why = why;

    public void EndAs(SessionFailure failure) => _failure = failure;

    public Task FailAsync(SessionFailure failure) => TellAsync(async () =>
    {
        await EndAsync(new SessionExit { Failure = failure }, _disposed.Token).ConfigureAwait(false);
        await DrainAsync(_disposed.Token).ConfigureAwait(false);
    });

    /// <summary>The first frame of a call.</summary>
    /// <exception cref="NodeException">The coordinator cannot be reached.</exception>
    public Task PresentAsync(ReadOnlyMemory<byte> ticket, CancellationToken cancellation) => TellAsync(
        () => WriteAsync(new NodeFrame { Ticket = UnsafeByteOperations.UnsafeWrap(ticket) }, cancellation));

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync().ConfigureAwait(false);
        call.Dispose();
        _disposed.Dispose();
        _turn.Dispose();
    }

    private async Task SendAsync(IAsyncEnumerable<NodeFrame> frames, CancellationToken cancellation)
    {
        await foreach (var frame in frames.WithCancellation(cancellation).ConfigureAwait(false))
        {
            if (frame.Exit is { } exit)
                await EndAsync(exit, cancellation).ConfigureAwait(false);
            else
                await WriteAsync(frame, cancellation).ConfigureAwait(false);
        }
    }

    private async Task DrainAsync(CancellationToken cancellation)
    {
        while (await call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false))
            continue;
    }

    private async Task SendAsync(ITool tool, CancellationToken cancellation)
    {
        await Task.WhenAll(
            CopyAsync(tool.StandardOutput, data => new NodeFrame { Stdout = data }, cancellation),
            CopyAsync(tool.StandardError ?? Stream.Null, data => new NodeFrame { Stderr = data }, cancellation)).ConfigureAwait(false);
        var exit = await ExitAsync(tool, cancellation).ConfigureAwait(false);
        if (_failure is { } failure)
            exit.Failure = failure;
        exit.Why = _why.Length > 0 ? _why : tool.WhyExited;
        await EndAsync(exit, cancellation).ConfigureAwait(false);
    }

    private async Task CopyAsync(Stream output, Func<ByteString, NodeFrame> frame, CancellationToken cancellation)
    {
        var buffer = new byte[ReadSize];
        while (await output.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and var n)
            // A write is done when its bytes were taken, so the buffer may be used again.
            await WriteAsync(frame(UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, n))), cancellation).ConfigureAwait(false);
    }

    private static async Task<SessionExit> ExitAsync(ITool tool, CancellationToken cancellation)
    {
        try
        {
            return new SessionExit { ExitCode = await tool.Exited.WaitAsync(cancellation).ConfigureAwait(false) };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            return new SessionExit { Failure = NodeException.Describe(e) };
        }
    }

    private async Task EndAsync(SessionExit exit, CancellationToken cancellation)
    {
        _ending = true;
        await WriteAsync(new NodeFrame { Exit = exit }, cancellation).ConfigureAwait(false);
        await call.RequestStream.CompleteAsync().ConfigureAwait(false);
    }

    private async Task ReceiveAsync(ITool tool, CancellationToken cancellation)
    {
        var input = new ToolInput(tool);
        while (await call.ResponseStream.MoveNext(cancellation).ConfigureAwait(false))
            await input.ApplyAsync(call.ResponseStream.Current, cancellation).ConfigureAwait(false);
    }

    private async Task WriteAsync(NodeFrame frame, CancellationToken cancellation)
    {
        await _turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await call.RequestStream.WriteAsync(frame, cancellation).ConfigureAwait(false);
        }
        finally
        {
            _turn.Release();
        }
    }

    private async Task TellAsync(Func<Task> exchange)
    {
        try
        {
            await exchange().ConfigureAwait(false);
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException or InvalidOperationException or IOException)
        {
            var why = e is RpcException { Status.Detail: { Length: > 0 } detail } ? detail : e.Message;
            throw new NodeException(NodeFailure.Failed, $"The session's stream to the coordinator at {endpoint} broke: {why}", e);
        }
    }
}
