using System.Threading.Channels;
using Akka.Actor;
using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Crashcart.Coordinator.Recordings;
using Google.Protobuf;

namespace Crashcart.Coordinator.Streams;

/// <summary>
/// One session between a client's call and a node's call. What the client sends waits here until the node's HTTP/2 window
/// has room: a few frames of standard input, then the client waits.
/// </summary>
internal sealed class SessionPipe : IDisposable
{
    private const int InputFrames = 4;

    /// <summary>Stands in the queue for the size that the terminal's window has when its turn comes.</summary>
    private static readonly CoordinatorFrame Resized = new();

    private readonly Channel<CoordinatorFrame> _frames = Channel.CreateUnbounded<CoordinatorFrame>(new UnboundedChannelOptions { SingleReader = true });

    private readonly Room _inputRoom = new(InputFrames);
    private readonly CancellationTokenSource _closed = new();
    private readonly TaskCompletionSource _announced = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly Lock _recordingLock = new();

    private CoordinatorFrame? _size;
    private Recording? _recording;
    private bool _isOver;

    // Standard output and standard error come one frame after the other, never at the same time.
    private long _room;

    /// <param name="maxBytes">Of output; 0 means no limit.</param>
    public SessionPipe(RunPipe run, SessionId id, int target, string node, ulong maxBytes)
    {
        _room = maxBytes == 0 ? long.MaxValue : (long)Math.Min(maxBytes, long.MaxValue);
        Run = run;
        Id = id;
        Target = target;
        Node = node;
        Closed = _closed.Token;
    }

    public RunPipe Run { get; }

    public SessionId Id { get; }

    public int Target { get; }

    /// <summary>The name of the node that has it.</summary>
    public string Node { get; }

    /// <summary>From the tool, and delivered.</summary>
    public long OutputBytes { get; private set; }

    /// <summary>To the tool.</summary>
    public long InputBytes { get; private set; }

    /// <summary>Cancelled when nothing of the session is wanted any more.</summary>
    public CancellationToken Closed { get; }

    /// <summary>Completes when the client has been told that the session runs: its output comes after that.</summary>
    public Task Announced => _announced.Task;

    public void Announce() => _announced.TrySetResult();

    /// <summary>From now on what goes by is recorded first.</summary>
    /// <returns>False when the session is over.</returns>
    public bool TryRecord(Recording recording)
    {
        lock (_recordingLock)
        {
            if (!_isOver)
                _recording = recording;
            return !_isOver;
        }
    }

    /// <summary>The session is over, and has no recording after this.</summary>
    /// <returns>Null: it had none.</returns>
    public Recording? TakeRecording()
    {
        lock (_recordingLock)
        {
            _isOver = true;
            return _recording;
        }
    }

    /// <summary>Standard input, in order; waits while the tool does not read. Nothing happens when the session is over.</summary>
    public async ValueTask SendInput(CoordinatorFrame frame, CancellationToken cancellation)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, Closed);
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

    /// <summary>The size of the terminal's window: the last one counts, however many come before the node takes one.</summary>
    public void Resize(CoordinatorFrame frame)
    {
        if (Interlocked.Exchange(ref _size, frame) is null)
            _frames.Writer.TryWrite(Resized);
    }

    /// <summary>The next frame for the node.</summary>
    public async ValueTask<CoordinatorFrame> Next(CancellationToken cancellation)
    {
        CoordinatorFrame frame = await _frames.Reader.ReadAsync(cancellation);
        if (ReferenceEquals(frame, Resized))
        {
            CoordinatorFrame size = Interlocked.Exchange(ref _size, null)!;
            await Record(recording => recording.ResizeAsync(new WindowCells(size.Resize.Columns, size.Resize.Rows)), cancellation);
            return size;
        }
        if (frame.FrameCase is CoordinatorFrame.FrameOneofCase.Stdin or CoordinatorFrame.FrameOneofCase.StdinClosed)
            _inputRoom.Return();
        if (frame.Stdin.Length > 0)
            await Record(recording => recording.WriteAsync(RecordedStream.Input, frame.Stdin.Memory), cancellation);
        InputBytes += frame.Stdin.Length;
        return frame;
    }

    /// <summary>
    /// Output to the client; waits until the client has taken what went before. What exceeds the limit is not sent: the
    /// session's run is told, and this waits until it has closed the session.
    /// </summary>
    public async ValueTask SendOutput(bool stderr, ByteString data, CancellationToken cancellation)
    {
        ByteString allowed = data.Length <= _room ? data : ByteString.CopyFrom(data.Span[..(int)_room]);
        _room -= allowed.Length;
        if (allowed.Length > 0)
            await Record(recording => recording.WriteAsync(stderr ? RecordedStream.Error : RecordedStream.Output, allowed.Memory), cancellation);
        if (allowed.Length > 0)
            await Run.SendOutput(Target, stderr, allowed, cancellation);
        OutputBytes += allowed.Length;
        if (allowed.Length == data.Length)
            return;
        (await Run.Run).Tell(new Run.OutputFull(Target));
        await Task.Delay(Timeout.Infinite, cancellation);
    }

    /// <summary>What cannot be recorded goes no further: the session's run is told, and this waits until it has closed the session.</summary>
    private async ValueTask Record(Func<Recording, Task> write, CancellationToken cancellation)
    {
        if (_recording is not { } recording)
            return;
        try
        {
            await write(recording);
        }
        catch (RecordingException e)
        {
            (await Run.Run).Tell(new Run.RecordingFailed(Target, Run.Recorder!.Failure(Id.Value, e)));
            await Task.Delay(Timeout.Infinite, cancellation);
        }
    }

    public void Close()
    {
        try
        {
            _closed.Cancel();
        }
        catch (ObjectDisposedException)
        {
            // The stream ended at the same moment, and closed it.
        }
    }

    /// <summary>The stream is over: who waits to send input waits no longer.</summary>
    public void Dispose()
    {
        Close();
        _closed.Dispose();
    }
}
