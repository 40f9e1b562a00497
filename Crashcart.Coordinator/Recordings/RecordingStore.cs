using System.Collections.Concurrent;

namespace Crashcart.Coordinator.Recordings;

/// <summary>How much is recorded, in bytes.</summary>
/// <param name="Each">Of one session.</param>
/// <param name="All">Of all together; the oldest that are over go first.</param>
internal sealed record RecordingLimits(long Each, long All)
{
    /// <summary>So many are kept: each has a line in memory.</summary>
    public int Count { get; init; } = 10_000;
}

internal enum RecordingState
{
    /// <summary>Its session goes on.</summary>
    Recording,
    Finished,

    /// <summary>Its coordinator was killed, or it could not be written to the end.</summary>
    Unfinished,
}

/// <param name="Length">From the session's start to what was written last.</param>
/// <param name="Size">Bytes.</param>
internal sealed record RecordingFacts(RecordingHeader Header, RecordingState State, TimeSpan Length, long Size);

/// <summary>
/// The recordings in a coordinator's state directory. One that goes on has a name of its own kind, and gets another when it is over; what still has
/// the first at a coordinator's start was left by one that was killed.
/// </summary>
internal sealed class RecordingStore
{
    private const string Begun = ".part";
    private const string Broken = ".unfinished";
    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, Recording> _open = new();
    private readonly SortedDictionary<(DateTimeOffset Started, string Id), (RecordingFacts Facts, string Path)> _closed = [];
    private readonly string _directory;
    private readonly RecordingLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private long _used;

    /// <param name="directory">It is made when the first recording is.</param>
    /// <exception cref="IOException">The directory is there and cannot be read.</exception>
    public RecordingStore(string directory, RecordingLimits limits, TimeProvider time, ILogger log)
    {
        _directory = directory;
        _limits = limits;
        _time = time;
        _log = log;
        if (Directory.Exists(directory))
            Load();
    }

    /// <summary>One is gone to make room.</summary>
    public event Action<RecordingFacts>? Deleted;

    /// <summary>All, the oldest first.</summary>
    public IReadOnlyList<RecordingFacts> List()
    {
        lock (_lock)
        {
            return
            [
                .. _closed.Values.Select(closed => closed.Facts)
                    .Concat(_open.Values.Select(open => new RecordingFacts(open.Header, RecordingState.Recording, open.Length, open.Size)))
                    .OrderBy(facts => facts.Header.Started),
            ];
        }
    }

    /// <summary>As it is now; null when there is none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public (RecordingFacts Facts, FileStream File)? Open(string id)
    {
        lock (_lock)
        {
            if (List().FirstOrDefault(one => one.Header.Id == id) is not { } facts)
                return null;
            string path = facts.State == RecordingState.Recording ? PathOf(facts.Header) + Begun : _closed[(facts.Header.Started, id)].Path;
            return (facts, new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        }
    }

    /// <summary>The file is there, and has its first line.</summary>
    /// <exception cref="RecordingException">It cannot be.</exception>
    public async Task<Recording> BeginAsync(RecordingHeader header)
    {
        Recording recording = Create(header);
        _open[header.Id] = recording;
        try
        {
            await recording.BeginAsync();
            return recording;
        }
        catch (RecordingException)
        {
            await recording.EndAsync("");
            throw;
        }
    }

    /// <summary>The process stops: what goes on is over.</summary>
    public Task CloseAsync() => Task.WhenAll(_open.Values.Select(open => open.EndAsync("the coordinator stopped")));

    private Recording Create(RecordingHeader header)
    {
        try
        {
            Directory.CreateDirectory(_directory, RootOnly | UnixFileMode.UserExecute);
            var file = new FileStream(PathOf(header) + Begun, new FileStreamOptions
            {
                Mode = FileMode.CreateNew,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite | FileShare.Delete,
                UnixCreateMode = RootOnly,
                BufferSize = 0,
            });
            long size = 0;
            return new Recording(header, file, _time, bytes => Reserve(bytes, size += bytes), CloseAsync);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RecordingException(e.Message.TrimEnd('.'), e);
        }
    }

    /// <param name="size">That the recording has with these bytes.</param>
    private void Reserve(long bytes, long size)
    {
        if (size > _limits.Each)
            throw new RecordingException($"a recording has at most {_limits.Each} bytes here (--recording-max)");
        lock (_lock)
        {
            while (_used + bytes > _limits.All && _closed.Count > 0)
                DeleteOldest();
            if (_used + bytes > _limits.All)
                throw new RecordingException($"the recordings of sessions that go on have all the {_limits.All} bytes that there are (--recordings-max)");
            _used += bytes;
        }
    }

    private async Task CloseAsync(Recording recording, bool isWhole)
    {
        string path = PathOf(recording.Header);
        // fsync(2) takes its time, and whoever tells of a session's end must not wait.
        await Task.Run(() =>
        {
            using FileStream file = recording.File;
            try
            {
                if (recording.Size == 0)
                {
                    File.Delete(path + Begun);
                    return;
                }
                file.SetLength(recording.Size);
                file.Flush(flushToDisk: true);
                File.Move(path + Begun, isWhole ? path : path + Broken, overwrite: true);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                RecordingLog.NotClosed(_log, recording.Header.Id, e.Message);
                isWhole = false;
                path += Begun;
            }
        });
        lock (_lock)
        {
            _open.TryRemove(recording.Header.Id, out _);
            // It could not even be begun, and nothing was started.
            if (recording.Size == 0)
                return;
            Add(
                new RecordingFacts(recording.Header, isWhole ? RecordingState.Finished : RecordingState.Unfinished, recording.Length, recording.Size),
                isWhole || path.EndsWith(Begun, StringComparison.Ordinal) ? path : path + Broken);
            while (_closed.Count > _limits.Count)
                DeleteOldest();
        }
    }

    private void Add(RecordingFacts facts, string path) => _closed[(facts.Header.Started, facts.Header.Id)] = (facts, path);

    /// <summary>One that cannot be deleted is forgotten: its bytes are no recording's any more until the next start, which finds it.</summary>
    private void DeleteOldest()
    {
        var (key, (facts, path)) = _closed.First();
        _closed.Remove(key);
        _used -= facts.Size;
        try
        {
            File.Delete(path);
            RecordingLog.Deleted(_log, facts.Header.Id, facts.Size);
            Deleted?.Invoke(facts);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            RecordingLog.NotDeleted(_log, facts.Header.Id, e.Message);
        }
    }

    private void Load()
    {
        foreach (string begun in Directory.GetFiles(_directory, "*" + Begun))
        {
            if (Read(begun) is null)
            {
                // Nothing was started before its first line was there.
                File.Delete(begun);
                continue;
            }
            string broken = begun[..^Begun.Length] + Broken;
            File.Move(begun, broken, overwrite: true);
            RecordingLog.Unfinished(_log, Path.GetFileName(broken));
        }
        foreach (string path in Directory.EnumerateFiles(_directory))
        {
            if (Read(path) is not { } facts)
            {
                RecordingLog.NoRecording(_log, path);
                continue;
            }
            _used += facts.Size;
            Add(facts, path);
        }
    }

    private static RecordingFacts? Read(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        byte[] start = new byte[RecordingHeader.Longest];
        int length = file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        int end = Array.IndexOf(start, (byte)'\n', 0, length);
        if (end < 0 || RecordingHeader.Parse(start.AsMemory(0, end)) is not { } header)
            return null;
        RecordingState state = path.EndsWith(Broken, StringComparison.Ordinal) ? RecordingState.Unfinished : RecordingState.Finished;
        return new RecordingFacts(header, state, File.GetLastWriteTimeUtc(path) - header.Started, file.Length);
    }

    private string PathOf(RecordingHeader header) => Path.Combine(_directory, header.Id + (header.IsTerminal ? ".cast" : ".transcript"));
}

internal static partial class RecordingLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "The recording {File} was left unfinished by a coordinator that did not end; what there is of it is kept")]
    public static partial void Unfinished(ILogger log, string file);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Path} is no recording, and is left alone")]
    public static partial void NoRecording(ILogger log, string path);

    [LoggerMessage(Level = LogLevel.Information, Message = "The recording {Recording} is deleted, which was the oldest: its {Bytes} bytes are needed")]
    public static partial void Deleted(ILogger log, string recording, long bytes);

    [LoggerMessage(Level = LogLevel.Error, Message = "The recording {Recording} could not be deleted: {Problem}")]
    public static partial void NotDeleted(ILogger log, string recording, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "The recording {Recording} could not be put where finished ones are: {Problem}")]
    public static partial void NotClosed(ILogger log, string recording, string problem);

    [LoggerMessage(Level = LogLevel.Error, Message = "Session {Session} ends, for it cannot be recorded: {Problem}")]
    public static partial void Failed(ILogger log, string session, string problem);
}
