using System.Buffers;
using System.Security.Cryptography;
using Crashcart.Native;
using Microsoft.Win32.SafeHandles;

namespace Crashcart.Audit;

/// <summary>Owns the files of a log that is written, for one thread. Closed → Open → Closed, whenever something fails.</summary>
internal sealed class AuditWriter(AuditDirectory directory, AuditLimits limits, TimeProvider time) : IDisposable
{
    private readonly List<(AuditEvent Event, string Sentence)> _found = [];
    private readonly List<string> _told = [];
    private SafeFileHandle? _lock;
    private State? _open;

    /// <summary>How far the last file goes that this process has written whole; a write that failed may have left more.</summary>
    private (string Path, long Length)? _whole;

    /// <summary>Takes up the log where it ends, if it is not open.</summary>
    /// <exception cref="IOException">The disk, or another process that writes here.</exception>
    public void Open()
    {
        if (_open is not null)
            return;
        directory.Make();
        _lock ??= directory.Lock();
        _found.Clear();
        IReadOnlyList<AuditFile> files = directory.Files();
        AuditLink? head = directory.ReadHead();
        SafeFileHandle headFile = directory.OpenHead();
        try
        {
            AuditLink end = files.Count > 0 ? TakeUp(files, head) : head ?? AuditLink.Origin;
            Compare(end, head, files.Count > 0);
            // A head that is missing later was taken away.
            if (end.Number == 0)
                AuditDirectory.WriteHead(headFile, end);
            (AuditFile file, SafeFileHandle handle) = files.Count > 0 ? (files[^1], AuditDirectory.Open(files[^1])) : directory.Create(end.Number + 1);
            _open = new State(file, handle, headFile, RandomAccess.GetLength(handle), end);
        }
        catch
        {
            headFile.Dispose();
            throw;
        }
    }

    /// <summary>Appends the events, behind what the log has to say of itself; when this returns they survive a power cut.</summary>
    /// <exception cref="IOException">The disk is full, and so on; nothing of them counts.</exception>
    public void Write(IReadOnlyList<(AuditEvent Happened, DateTimeOffset At)> events)
    {
        State open = _open!;
        List<(AuditFile File, AuditLink Through)> condemned = [];
        if (open.Length >= limits.FileSize)
        {
            open = Rotate(open);
            condemned = Condemned(open);
        }
        List<(AuditEvent, DateTimeOffset)> all =
        [
            .. _found.Select(found => (found.Event, time.GetUtcNow())),
            .. condemned.Select(file => (DroppedEvent(file.File, file.Through), time.GetUtcNow())),
            .. events,
        ];
        if (all.Count == 0)
            return;
        var bytes = new ArrayBufferWriter<byte>();
        AuditLink end = open.End;
        foreach ((AuditEvent happened, DateTimeOffset at) in all)
            end = AuditLine.Write(bytes, end, happened, at);
        RandomAccess.Write(open.Handle, bytes.WrittenSpan, open.Length);
        RandomAccess.FlushToDisk(open.Handle);
        _open = open with { Length = open.Length + bytes.WrittenCount, End = end };
        _whole = (open.File.Path, _open.Length);
        _told.AddRange(_found.Select(found => found.Sentence));
        _found.Clear();
        foreach ((AuditFile file, AuditLink through) in condemned)
            directory.Drop(file, through.Number);
    }

    /// <summary>Lets the head say how far the log goes.</summary>
    public void Advance()
    {
        if (_open is { } open)
            AuditDirectory.WriteHead(open.Head, open.End);
    }

    /// <summary>What was wrong with the log when it was taken up; each is told once.</summary>
    public IReadOnlyList<string> TakeFindings()
    {
        List<string> told = [.. _told];
        _told.Clear();
        return told;
    }

    /// <summary>After a failure: what was written of lines that nobody was told of is taken away, and the log is closed.</summary>
    public void Abandon()
    {
        if (_open is not { } open)
            return;
        Cut(open.File.Path, open.Handle);
        Close(open);
    }

    public void Dispose()
    {
        if (_open is { } open)
            Close(open);
        _lock?.Dispose();
    }

    private void Close(State open)
    {
        open.Handle.Dispose();
        open.Head.Dispose();
        _open = null;
    }

    private void Cut(string path, SafeFileHandle handle)
    {
        if (_whole is not { } whole || whole.Path != path)
            return;
        try
        {
            if (RandomAccess.GetLength(handle) > whole.Length)
                RandomAccess.SetLength(handle, whole.Length);
        }
        catch (IOException)
        {
            // Tried again when the log is taken up.
        }
    }

    private AuditLink TakeUp(IReadOnlyList<AuditFile> files, AuditLink? head)
    {
        AuditFile last = files[^1];
        using SafeFileHandle handle = AuditDirectory.Open(last);
        Cut(last.Path, handle);
        byte[] bytes = AuditScan.ReadAll(handle);
        int whole = Array.LastIndexOf(bytes, AuditLine.End) + 1;
        AuditLink end = AuditScan.End(last, bytes.AsSpan(0, whole))
            ?? (files.Count > 1 ? AuditScan.End(files[^2]) : null)
            ?? (head is { } known && known.Number == last.First - 1 ? known : AuditLink.Origin with { Number = last.First - 1 });
        if (whole < bytes.Length)
        {
            directory.KeepTorn(end.Number + 1, bytes.AsSpan(whole));
            RandomAccess.SetLength(handle, whole);
            RandomAccess.FlushToDisk(handle);
        }
        // Also when an earlier process put it there, and came no further.
        if (File.Exists(directory.TornPath(end.Number + 1)))
            _found.Add(TornEvent(end.Number + 1));
        return end;
    }

    private (AuditEvent, string) TornEvent(long number)
    {
        string path = directory.TornPath(number), name = Path.GetFileName(path);
        byte[] bytes = File.ReadAllBytes(path);
        return (
            new AuditEvent("log.torn") { Log = new AuditLogFacts(name, Hash: Convert.ToHexStringLower(SHA256.HashData(bytes)), Bytes: bytes.Length) },
            $"The audit log in {directory.Path} ended in the middle of a line; those {bytes.Length} bytes are in {name} now.");
    }

    private void Compare(AuditLink end, AuditLink? head, bool hasFiles)
    {
        string problem = head is { } known
            ? known.Number > end.Number || (known.Number > 0 && !hasFiles) ? $"lines {(hasFiles ? end.Number + 1 : 1)} to {known.Number} were missing when the log was taken up"
                : known.Number == end.Number && known.Hash != end.Hash ? $"line {end.Number} was another one when the log was taken up"
                : ""
            : hasFiles && end.Number > 0 ? "the head, which says how far the log goes, was missing when the log was taken up" : "";
        if (problem.Length > 0)
            _found.Add((
                new AuditEvent("log.gap") { Problem = problem, Log = head is { } was ? new AuditLogFacts(Through: was.Number, Hash: was.Hash) : null },
                $"The audit log in {directory.Path} was changed: {problem}. It goes on from there, and says so."));
    }

    private State Rotate(State open)
    {
        (AuditFile file, SafeFileHandle handle) = directory.Create(open.End.Number + 1);
        open.Handle.Dispose();
        _whole = (file.Path, 0);
        return _open = open with { File = file, Handle = handle, Length = 0 };
    }

    /// <summary>The oldest files that are more than what is kept.</summary>
    private List<(AuditFile File, AuditLink Through)> Condemned(State open)
    {
        List<(AuditFile File, AuditLink Through)> condemned = [];
        List<AuditFile> old = [.. directory.Files().Where(file => file.Path != open.File.Path)];
        long size = old.Sum(file => new FileInfo(file.Path).Length) + limits.FileSize;
        foreach (AuditFile file in old)
        {
            bool isOld = limits.Age is { } age && time.GetUtcNow() - File.GetLastWriteTimeUtc(file.Path) > age;
            if (size <= limits.Size && !isOld && old.Count - condemned.Count < limits.Files)
                break;
            condemned.Add((file, AuditScan.End(file) ?? AuditLink.Origin with { Number = file.First - 1 }));
            size -= new FileInfo(file.Path).Length;
        }
        return condemned;
    }

    private static AuditEvent DroppedEvent(AuditFile file, AuditLink through) =>
        new("log.dropped") { Log = new AuditLogFacts(file.Name, file.First, through.Number, through.Hash) };

    /// <param name="End">The last line of the file, or the one before it when it has none yet.</param>
    private sealed record State(AuditFile File, SafeFileHandle Handle, SafeFileHandle Head, long Length, AuditLink End);
}
