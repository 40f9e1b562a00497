using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Akka.Actor;
using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Crashcart.Coordinator.Auditing;
using Crashcart.Coordinator.Recordings;
using Google.Protobuf;

namespace Crashcart.Coordinator.Streams;

/// <summary>What goes to a run's client, in order: events of the run, and output of its sessions.</summary>
internal abstract record RunItem
{
    private RunItem()
    {
    }

    public sealed record Event(RunEvent Happened) : RunItem;

    public sealed record Output(int Target, bool Stderr, ByteString Data) : RunItem;
}

/// <summary>
/// One run between its client's call and its sessions' streams. Only so many frames of output wait here; then the streams
/// wait, their HTTP/2 windows fill, and the tools stall. So a client that does not read costs a bounded amount of memory.
/// </summary>
internal sealed class RunPipe(RunId id, StreamTickets tickets, Func<string> endpoint, Func<Task<WantedImage?>> defaultImage, RunAudit audit) : IRunPort
{
    /// <summary>Of up to 64 KiB each.</summary>
    private const int OutputFrames = 16;

    private readonly ConcurrentDictionary<int, (SessionPipe Pipe, ByteString Secret)> _sessions = new();
    private readonly ConcurrentDictionary<int, SessionPipe> _opened = new();
    private readonly ConcurrentDictionary<int, Task> _ends = new();
    private readonly Channel<RunItem> _items = Channel.CreateUnbounded<RunItem>(new UnboundedChannelOptions { SingleReader = true });
    private readonly Room _room = new(OutputFrames);
    private readonly TaskCompletionSource<IActorRef> _run = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _underWay = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public RunId Id => id;

    /// <summary>Of output of each session; 0 means no limit.</summary>
    public ulong MaxBytes { get; init; }

    /// <summary>Null: nothing of the run is recorded.</summary>
    public RunRecorder? Recorder { get; init; }

    /// <summary>Whom the sessions' streams tell what happened.</summary>
    public Task<IActorRef> Run => _run.Task;

    /// <summary>Completes when input finds every session that may start at once, or there will be none.</summary>
    public Task UnderWay => _underWay.Task;

    public IEnumerable<SessionPipe> Sessions => _sessions.Values.Select(session => session.Pipe);

    public void Begin(IActorRef run) => _run.TrySetResult(run);

    public StreamTicket Open(int number, string node)
    {
        var pipe = new SessionPipe(this, id.Session(number), number, node, MaxBytes);
        ByteString secret = tickets.Issue(pipe);
        _sessions[number] = (pipe, secret);
        _opened[number] = pipe;
        return new StreamTicket(endpoint(), secret);
    }

    public Task<WantedImage?> DefaultImageAsync() => defaultImage();

    public async Task AdmitAsync(int number, RunTarget target, StartSession order)
    {
        Recording? recording = await BeginRecordingAsync(number, target, order);
        await audit.StartsAsync(number, target, order, recording?.Header.Id ?? "");
    }

    public void Close(int target)
    {
        if (!_sessions.TryRemove(target, out var session))
            return;
        tickets.Void(session.Secret);
        session.Pipe.Close();
    }

    public void Tell(RunEvent happened)
    {
        if (happened is RunEvent.SessionEnded ended)
            _ends[ended.Target] = EndAsync(ended);
        _items.Writer.TryWrite(new RunItem.Event(happened));
        if (happened is not (RunEvent.Started or RunEvent.SessionWaits))
            _underWay.TrySetResult();
        if (happened is RunEvent.SessionStarted { Target: var target } && _sessions.TryGetValue(target, out var session))
            session.Pipe.Announce();
        if (happened is RunEvent.Rejected or RunEvent.Ended)
            _items.Writer.TryComplete();
    }

    public async ValueTask SendOutput(int target, bool stderr, ByteString data, CancellationToken cancellation)
    {
        await _room.Take(cancellation);
        _items.Writer.TryWrite(new RunItem.Output(target, stderr, data));
    }

    /// <summary>Everything for the client, to the end of the run. An item's place is free again when the next one is asked for.</summary>
    public async IAsyncEnumerable<RunItem> Items([EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (RunItem item in _items.Reader.ReadAllAsync(cancellation))
        {
            // Whoever knows of a session's end finds its recording.
            if (item is RunItem.Event { Happened: RunEvent.SessionEnded { Target: var target } } && _ends.TryRemove(target, out Task? end))
                await end;
            yield return item;
            if (item is RunItem.Output)
                _room.Return();
        }
    }

    private async Task<Recording?> BeginRecordingAsync(int number, RunTarget target, StartSession order)
    {
        if (Recorder is null)
            return null;
        try
        {
            Recording? recording = await Recorder.BeginAsync(target, order);
            if (recording is null || (_opened.TryGetValue(number, out SessionPipe? pipe) && pipe.TryRecord(recording)))
                return recording;
            await recording.EndAsync("not started");
            throw new OperationCanceledException("The session is over.");
        }
        catch (RecordingException e)
        {
            audit.Refused(target, order, e.Message);
            throw;
        }
    }

    private async Task EndAsync(RunEvent.SessionEnded ended)
    {
        _opened.TryRemove(ended.Target, out SessionPipe? pipe);
        RecordingEnd? recording = pipe?.TakeRecording() is { } open ? await open.EndAsync(Describe(ended.Outcome)) : null;
        audit.Ended(ended.Target, ended.Outcome, pipe, recording);
    }

    private static string Describe(SessionOutcome outcome) => outcome switch
    {
        SessionOutcome.Exited exited => $"exited with {exited.Code}",
        SessionOutcome.Failure failure => failure.Message,
        _ => "",
    };

    /// <summary>The client is gone: nothing is delivered to anybody any more.</summary>
    public void CloseAll()
    {
        foreach (int target in _sessions.Keys)
            Close(target);
    }
}
