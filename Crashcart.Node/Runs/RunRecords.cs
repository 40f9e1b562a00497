using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Crashcart.Actors;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Runs;

/// <summary>
/// The runs that a node keeps, in a directory of its state: what each session wrote, and how it ended. All output together
/// stays within a budget, for which the oldest runs that are over give way.
/// </summary>
internal sealed class RunRecords : IRunRecords, IOutputRoom
{
    // Who adds and removes sessions, and who takes room, holds it.
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, SessionRecord> _sessions;
    private readonly string _directory;
    private readonly TimeSpan _age;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private long _bytes;

    public RunRecords(string stateDirectory, long budget, TimeSpan age, TimeProvider time, ILogger log)
    {
        _directory = Path.Combine(stateDirectory, "runs");
        _age = age;
        _time = time;
        _log = log;
        _sessions = RunsDirectory.Load(_directory, log);
        _bytes = _sessions.Values.Sum(session => session.Bytes);
        Budget = budget;
    }

    public long Budget { get; }

    public Task<ISessionCall> OpenAsync(StartSession start, CancellationToken cancellation) => RunAsync<ISessionCall>(
        () =>
        {
            var kept = Begin(start);
            lock (_lock)
            {
                if (_sessions.ContainsKey(kept.SessionId))
                    throw new NodeException(NodeFailure.Failed, $"The node keeps a session {kept.SessionId} already.");
                var record = SessionRecord.Create(_directory, kept, _log);
                _sessions[kept.SessionId] = record;
                return new SessionRecording(record, this, start.Keep.MaxBytes, _time);
            }
        },
        "begin the record of a session");

    public SessionEnd? EndOf(SessionId session) => _sessions.GetValueOrDefault(session.Value)?.End;

    public Task<IReadOnlyList<KeptRun>> FindAsync(RunId? run) => RunAsync<IReadOnlyList<KeptRun>>(
        () =>
        [
            .. _sessions.Values.Where(session => run is null || session.RunId == run.Value.Value)
                .GroupBy(session => session.RunId)
                .Select(sessions => RunListing.Of(sessions.Select(session => session.Describe()), withSessions: run is not null)),
        ],
        "look for the runs that it keeps");

    public async IAsyncEnumerable<NodeFrame> ReadAsync(
        SessionId session, bool follow, bool endsOnly, [EnumeratorCancellation] CancellationToken cancellation)
    {
        if (!_sessions.TryGetValue(session.Value, out var record))
            throw new NodeException(NodeFailure.Failed, $"The node keeps nothing of session {session} any more.");
        await foreach (var frame in SessionReplay.ReadAsync(record, follow, endsOnly, cancellation).ConfigureAwait(false))
            yield return frame;
    }

    public Task RemoveAsync(RunId run) => RunAsync(
        () =>
        {
            lock (_lock)
            {
                if (_sessions.Values.Where(session => session.RunId == run.Value).GroupBy(session => session.RunId).FirstOrDefault() is not { } kept)
                    return true;
                if (kept.Any(session => session.End is null))
                    throw new NodeException(NodeFailure.Failed, $"{run} goes on; 'crashcart kill {run}' ends it.");
                Remove(kept);
                return true;
            }
        },
        $"forget {run}");

    public Task SweepAsync() => RunAsync(
        () =>
        {
            lock (_lock)
            {
                var oldest = (_time.GetUtcNow() - _age).ToUnixTimeMilliseconds();
                foreach (var run in Over().Where(run => EndOf(run) < oldest))
                    Remove(run);
                while (_bytes > Budget && RemoveOldest())
                    continue;
                return true;
            }
        },
        "forget old runs");

    public bool Take(int bytes)
    {
        lock (_lock)
        {
            while (_bytes + bytes > Budget)
            {
                if (!RemoveOldest())
                    return false;
            }

            _bytes += bytes;
            return true;
        }
    }

    public void Return(int bytes)
    {
        lock (_lock)
            _bytes -= bytes;
    }

    private bool RemoveOldest()
    {
        if (Over().Where(run => run.Any(session => session.Bytes > 0)).MinBy(EndOf) is not { } oldest)
            return false;
        RunsLog.Forgotten(_log, oldest.Key);
        Remove(oldest);
        return true;
    }

    private IEnumerable<IGrouping<string, SessionRecord>> Over() =>
        _sessions.Values.GroupBy(session => session.RunId).Where(run => run.All(session => session.End is not null));

    private static long EndOf(IEnumerable<SessionRecord> run) => run.Max(session => session.End!.UnixMs);

    // Whoever reads it has the files open, and reads them to their end.
    private void Remove(IGrouping<string, SessionRecord> run)
    {
        Directory.Delete(Path.Combine(_directory, run.Key), recursive: true);
        foreach (var session in run)
        {
            _sessions.TryRemove(session.SessionId, out _);
            _bytes -= session.Bytes;
        }
    }

    private KeptSession Begin(StartSession start)
    {
        // They become names of files.
        if (!IsName(start.RunId) || !IsName(start.SessionId))
            throw new NodeException(NodeFailure.Failed, "The request to start it is malformed.");
        return new KeptSession
        {
            SessionId = start.SessionId,
            RunId = start.RunId,
            Target = start.Keep.Target,
            Targets = start.Keep.Targets,
            ContainerId = start.ContainerId,
            Container = start.Keep.Container,
            Tool = start.Tool.Argv.FirstOrDefault() ?? "",
            By = start.Keep.By,
            RunSinceUnixMs = start.Keep.RunSinceUnixMs,
            SinceUnixMs = _time.GetUtcNow().ToUnixTimeMilliseconds(),
        };
    }

    private static bool IsName(string text) => text.Length is > 0 and <= 100 && text.All(c => char.IsAsciiLetterOrDigit(c) || c == '-');

    private async Task<T> RunAsync<T>(Func<T> work, string what)
    {
        try
        {
            return await Task.Run(work).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NodeException(NodeFailure.Failed, $"The node could not {what} in {_directory}: {e.Message}", e);
        }
    }
}

internal static partial class RunsLog
{
    [LoggerMessage(20, LogLevel.Information, "{Run} is not kept any longer: what others write needs its room")]
    public static partial void Forgotten(ILogger log, string run);

    [LoggerMessage(21, LogLevel.Warning, "The record {Path} cannot be understood and is left alone: {Problem}")]
    public static partial void NotUnderstood(ILogger log, string path, string problem);

    [LoggerMessage(22, LogLevel.Error, "How session {Session} ended could not be written ({Problem}): it is known until the node restarts")]
    public static partial void EndNotWritten(ILogger log, string session, string problem);
}
