using System.Threading.Channels;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Coordinator.Streams;

/// <summary>
/// One session between a client's call and a node's call. What the client sends waits here until the node's HTTP/2 window
/// has room: a few frames of standard input, then the client waits.
/// </summary>
internal sealed class SessionPipe(RunPipe run, int target) : IDisposable
{
    private const int InputFrames = 4;

    /// <summary>Signals and window sizes that a client sends faster than the node takes them are not kept.</summary>
    private const int ControlFrames = 64;

    /// <summary>A channel for a single reader would not know how much is in it.</summary>
    private readonly Channel<CoordinatorFrame> _frames = Channel.CreateUnbounded<CoordinatorFrame>();

    private readonly Room _inputRoom = new(InputFrames);
    private readonly CancellationTokenSource _closed = new();

    public RunPipe Run => run;

    public int Target => target;

    /// <summary>Cancelled when nothing of the session is wanted any more.</summary>
    public CancellationToken Closed => _closed.Token;

    /// <summary>Standard input, in order; waits while the tool does not read. Nothing happens when the session is over.</summary>
    public async ValueTask SendInput(CoordinatorFrame frame, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _closed.Token);
        try
        {
            await _inputRoom.Take(either.Token);
            _frames.Writer.TryWrite(frame);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // The session ended without reading all of it, as a tool may.
        }
    }

    /// <summary>A signal or a window size.</summary>
    public void SendControl(CoordinatorFrame frame)
    {
        if (_frames.Reader.Count < InputFrames + ControlFrames)
            _frames.Writer.TryWrite(frame);
    }

    /// <summary>The next frame for the node.</summary>
    public async ValueTask<CoordinatorFrame> Next(CancellationToken cancellation)
    {
        CoordinatorFrame frame = await _frames.Reader.ReadAsync(cancellation);
        if (frame.FrameCase is CoordinatorFrame.FrameOneofCase.Stdin or CoordinatorFrame.FrameOneofCase.StdinClosed)
            _inputRoom.Return();
        return frame;
    }

    /// <summary>Output to the client; waits until the client has taken what went before.</summary>
    public ValueTask SendOutput(bool stderr, ByteString data, CancellationToken cancellation) =>
        run.SendOutput(target, stderr, data, cancellation);

    public void Close()
    {
        try
        {
            _closed.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The stream ended at the same moment.
        }
    }

    public void Dispose() => _closed.Dispose();
}
