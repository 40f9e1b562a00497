using System.Globalization;
using System.Threading.Channels;
using Crashcart.Native;

namespace Crashcart.Audit.Sinks;

/// <summary>How long a sink waits before it tries again what did not work, and before the log itself tells of it.</summary>
/// <param name="Longest">Each wait is twice the one before, up to this.</param>
internal sealed record SinkPace(TimeSpan Shortest, TimeSpan Longest, TimeSpan Patience)
{
    public static readonly SinkPace Usual = new(TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(1), TimeSpan.FromSeconds(30));

    public TimeSpan After(TimeSpan wait) => wait == TimeSpan.Zero ? Shortest : wait * 2 < Longest ? wait * 2 : Longest;
}

/// <summary>
/// Owns the way of a log's lines to one receiver. The log on disk is its buffer: it reads on from its cursor, whoever wrote the lines, and
/// each line is taken at least once, in order. Lines that retention drops before they were taken are told of.
/// </summary>
internal sealed class AuditFollower : IDisposable
{
    private readonly AuditDirectory _directory;
    private readonly IAuditReceiver _receiver;
    private readonly SinkPace _pace;
    private readonly TimeProvider _time;
    private readonly Func<AuditEvent, Task> _record;
    private readonly Action<string> _complain;
    private readonly AuditTail _tail;
    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly CancellationTokenSource _finish = new(), _stop = new();
    private readonly Task _running;
    private SinkCursor? _cursor;
    private Failure? _failure;

    /// <param name="record">Writes into the process's audit log.</param>
    /// <param name="complain">Takes sentences for the process's log.</param>
    public AuditFollower(AuditDirectory directory, IAuditReceiver receiver, SinkPace pace, TimeProvider time, Func<AuditEvent, Task> record, Action<string> complain)
    {
        (_directory, _receiver, _pace, _time, _record, _complain) = (directory, receiver, pace, time, record, complain);
        _tail = new AuditTail(directory);
        _running = Task.Run(RunAsync);
    }

    /// <summary>There may be more lines. Never waits.</summary>
    public void Wake() => _wakes.Writer.TryWrite(true);

    /// <summary>Sends what is there, if that works, and ends.</summary>
    public void Finish() => _finish.Cancel();

    /// <returns>Whether everything was sent by then.</returns>
    public bool HasFinished(TimeSpan patience) => _running.Wait(patience);

    public void Dispose()
    {
        Finish();
        _stop.Cancel();
        _running.Wait();
        _cursor?.Dispose();
        _tail.Dispose();
        _receiver.Dispose();
        _finish.Dispose();
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        TimeSpan wait = TimeSpan.Zero;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                bool isMore = await DeliverAsync().ConfigureAwait(false);
                wait = TimeSpan.Zero;
                if (isMore)
                    continue;
                if (_finish.IsCancellationRequested)
                    return;
                await _wakes.Reader.ReadAsync(_finish.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException)
            {
                // Asked to end: once more round, or not.
            }
            catch (Exception e)
            {
                await FailAsync(e.Message.TrimEnd('.')).ConfigureAwait(false);
                if (_finish.IsCancellationRequested)
                    return;
                wait = _pace.After(wait);
                await PauseAsync(wait).ConfigureAwait(false);
            }
        }
    }

    /// <returns>False when there is nothing to send.</returns>
    private async Task<bool> DeliverAsync()
    {
        // A log that nobody has begun yet has no place for the cursor.
        if (_directory.ReadHead() is not { } head)
            return false;
        _cursor ??= OpenCursor(head);
        if (_tail.Read(_cursor.Sent) is not { } batch)
            return false;
        if (_cursor.Sent is { } sent && sent != batch.Before)
            await TellGapAsync(sent, batch.Before).ConfigureAwait(false);
        // Also of a new sink: what is dropped from here on is missed.
        if (_cursor.Sent != batch.Before)
            _cursor.Advance(batch.Before);
        await _receiver.SendAsync(batch.Lines, _stop.Token).ConfigureAwait(false);
        _cursor.Advance(batch.End);
        await RecoverAsync().ConfigureAwait(false);
        return true;
    }

    private SinkCursor OpenCursor(AuditLink head)
    {
        var cursor = new SinkCursor(_directory, _receiver.Name);
        if (cursor.IsDamaged)
            _complain($"What {_directory.SinkPath(_receiver.Name)} says of the lines that {_receiver.Place} has cannot be read: all that are kept are sent again.");
        else if (cursor.Sent is null && head == AuditLink.Origin)
            cursor.Advance(head);
        return cursor;
    }

    private async Task TellGapAsync(AuditLink sent, AuditLink before)
    {
        bool isGone = before.Number > sent.Number;
        string problem = isGone ? $"lines {sent.Number + 1} to {before.Number} were dropped before {_receiver.Place} had them"
            : before.Number == sent.Number ? $"line {sent.Number} is not the one that {_receiver.Place} was sent: the log was changed"
            : $"the log ends before line {sent.Number}, which {_receiver.Place} has: it was begun anew, and is sent from line {before.Number + 1} on";
        await _record(new AuditEvent("sink.gap")
        {
            Target = _receiver.Place,
            Problem = problem,
            Omitted = isGone ? before.Number - sent.Number : null,
            Log = new AuditLogFacts(From: isGone ? sent.Number + 1 : null, Through: isGone ? before.Number : null),
        }).ConfigureAwait(false);
        _complain($"Of the audit log in {_directory.Path} {problem}.{(isGone ? " Keep more with --audit-keep." : "")}");
    }

    private async Task FailAsync(string problem)
    {
        // A file that was dropped meanwhile is not sent from a descriptor for ever: what is gone is told while nothing goes.
        _tail.Forget();
        DateTimeOffset now = _time.GetUtcNow();
        if (_failure is null)
        {
            _failure = new Failure(now);
            _complain(string.Create(CultureInfo.InvariantCulture,
                $"The audit log in {_directory.Path} does not get to {_receiver.Place}: {problem}. Its lines are kept, and sent as soon as that works."));
        }
        try
        {
            _cursor?.Fail(_failure.Since, problem);
            if (_failure.IsRecorded || now - _failure.Since < _pace.Patience)
                return;
            await _record(new AuditEvent("sink.failing") { Target = _receiver.Place, Problem = problem }).ConfigureAwait(false);
            _failure = _failure with { IsRecorded = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CrashcartException)
        {
            // The log itself says that it cannot be written.
        }
    }

    private async Task RecoverAsync()
    {
        if (_failure is not { } failure)
            return;
        if (failure.IsRecorded)
            await _record(new AuditEvent("sink.resumed") { Target = _receiver.Place }).ConfigureAwait(false);
        _failure = null;
        _complain($"The audit log in {_directory.Path} gets to {_receiver.Place} again.");
    }

    private async Task PauseAsync(TimeSpan wait)
    {
        try
        {
            await Task.Delay(wait, _time, _finish.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            // Asked to end: once more round.
        }
    }

    private sealed record Failure(DateTimeOffset Since, bool IsRecorded = false);
}
