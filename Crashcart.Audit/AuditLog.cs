using System.Collections.Concurrent;
using Crashcart.Native;

namespace Crashcart.Audit;

/// <summary>How much of a log is kept.</summary>
/// <param name="FileSize">Bytes; a file that has reached it is followed by a new one.</param>
/// <param name="Size">Bytes of all files; the oldest go first.</param>
/// <param name="Age">Older files go; null is no limit.</param>
public sealed record AuditLimits(long FileSize, long Size, TimeSpan? Age)
{
    /// <summary>How many files there are at most, with the one that is written.</summary>
    public int Files { get; init; } = int.MaxValue;
}

/// <summary>
/// The log that a process writes. Many may write at one time; what waits together is written together, with one fsync(2). A log that cannot be
/// written refuses, and is tried again at every event.
/// </summary>
public sealed class AuditLog : IDisposable
{
    private const int MostAtOnce = 512;
    private const int MostKept = 4096;

    private static readonly TimeSpan RetryInterval = TimeSpan.FromSeconds(1);

    private readonly BlockingCollection<Pending> _waiting = [];
    private readonly List<Pending> _kept = [];
    private readonly TimeProvider _time;
    private readonly Action<string> _complain;
    private readonly AuditWriter _writer;
    private readonly Thread _thread;
    private string _problem = "";
    private long _refused;

    /// <param name="directory">The log's own; it is made when it is not there.</param>
    /// <param name="complain">Takes sentences for the process's log, when something becomes wrong or right again.</param>
    public AuditLog(string directory, AuditLimits limits, TimeProvider time, Action<string> complain)
    {
        Directory = directory;
        _time = time;
        _complain = complain;
        _writer = new AuditWriter(new AuditDirectory(directory), limits, time);
        _thread = new Thread(Run) { Name = "audit", IsBackground = true };
        _thread.Start();
    }

    public string Directory { get; }

    /// <summary>There are more lines on disk. Whoever hears it must not wait: everybody who writes would.</summary>
    public event Action? Advanced;

    /// <summary>Completes when the event is on disk.</summary>
    /// <exception cref="CrashcartException">The log cannot be written: what the event is about must not happen.</exception>
    public Task WriteAsync(AuditEvent happened)
    {
        var pending = new Pending(happened, _time.GetUtcNow(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        Add(pending);
        return pending.Written!.Task;
    }

    /// <summary>Of what has happened already: it is written as soon as the log can be, and nobody waits for it.</summary>
    public void Note(AuditEvent happened) => Add(new Pending(happened, _time.GetUtcNow(), Written: null));

    /// <summary>Writes what waits, and closes the log.</summary>
    public void Dispose()
    {
        _waiting.CompleteAdding();
        _thread.Join();
        _writer.Dispose();
    }

    private void Add(Pending pending)
    {
        try
        {
            _waiting.Add(pending);
        }
        catch (InvalidOperationException)
        {
            pending.Written?.TrySetException(Refusal("the process stops"));
        }
    }

    private void Run()
    {
        Commit([]);
        while (!_waiting.IsCompleted)
        {
            // What could not be written is tried again without being asked.
            if (_waiting.TryTake(out Pending? first, _kept.Count > 0 ? RetryInterval : Timeout.InfiniteTimeSpan))
                Commit([first, .. Others()]);
            else if (_kept.Count > 0)
                Commit([]);
        }
    }

    private IEnumerable<Pending> Others()
    {
        for (int count = 1; count < MostAtOnce && _waiting.TryTake(out Pending? next); count++)
            yield return next;
    }

    private void Commit(IReadOnlyList<Pending> pending)
    {
        try
        {
            _writer.Open();
            AuditEvent[] resumed = _problem.Length > 0 ? [new AuditEvent("log.resumed") { Problem = _problem, Omitted = _refused }] : [];
            _writer.Write([.. resumed.Select(line => (line, _time.GetUtcNow())), .. _kept.Concat(pending).Select(one => (one.Happened, one.At))]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail(pending, e.Message.TrimEnd('.'));
            return;
        }
        if (_problem.Length > 0)
            _complain($"The audit log in {Directory} is written again.");
        foreach (string sentence in _writer.TakeFindings())
            _complain(sentence);
        (_problem, _refused) = ("", 0);
        _kept.Clear();
        foreach (Pending one in pending)
            one.Written?.TrySetResult();
        Advance();
    }

    /// <summary>Nobody waits for the head: it is behind the lines by what one fsync(2) has written, at most.</summary>
    private void Advance()
    {
        try
        {
            _writer.Advance();
            Advanced?.Invoke();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Fail([], e.Message.TrimEnd('.'));
        }
    }

    private void Fail(IReadOnlyList<Pending> pending, string problem)
    {
        _writer.Abandon();
        if (_problem.Length == 0)
            _complain(Sentence(problem));
        _problem = problem;
        foreach (Pending one in pending)
        {
            if (one.Written is not null || _kept.Count == MostKept)
                _refused++;
            else
                _kept.Add(one);
            one.Written?.TrySetException(Refusal(problem));
        }
    }

    private CrashcartException Refusal(string problem) => new(FailureReason.Unavailable, Sentence(problem));

    private string Sentence(string problem) =>
        $"The audit log in {Directory} cannot be written: {problem}. Nothing that must be in it is done until it can be: make room there, or repair it.";

    private sealed record Pending(AuditEvent Happened, DateTimeOffset At, TaskCompletionSource? Written);
}
