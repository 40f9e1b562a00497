using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Crashcart.Native;

namespace Crashcart.Audit;

/// <summary>What a verification has found.</summary>
/// <param name="Problem">What is wrong first, and where: FILE:LINE and a sentence; empty when nothing is.</param>
/// <param name="Lines">How many lines were read.</param>
/// <param name="First">Number of the first line; 0 when there is none.</param>
/// <param name="Last">Number of the last line.</param>
/// <param name="Hash">SHA-256 of the last line.</param>
/// <param name="Torn">How many ends of lines were set apart by the process that wrote the log.</param>
public sealed record AuditVerdict(string Problem, long Lines, long First, long Last, string Hash, int Torn)
{
    public bool IsWhole => Problem.Length == 0;
}

/// <summary>Whether a log is as it was written: no line removed, added, altered or moved, as far as the chain reaches.</summary>
public sealed class AuditVerifier
{
    private readonly Dictionary<long, string> _heads = [];
    private readonly Dictionary<long, string> _dropped = [];
    private readonly HashSet<long> _torn = [];
    private string _problem = "";
    private AuditLink? _before;
    private AuditLink? _first;
    private long _lines;

    private AuditVerifier(IEnumerable<AuditLink> heads)
    {
        foreach (AuditLink head in heads.Where(head => head.Number > 0))
            _heads.TryAdd(head.Number, head.Hash);
    }

    /// <param name="path">A log's directory, or one of its files, wherever it is.</param>
    /// <param name="head">SEQ:SHA256 of a line that is known from elsewhere; null is none.</param>
    /// <exception cref="CrashcartException">There is no log, or it cannot be read.</exception>
    public static AuditVerdict Verify(string path, string? head)
    {
        List<AuditLink> known = head is null ? [] : [Known(head)];
        try
        {
            return Directory.Exists(path) ? VerifyDirectory(path, known) : VerifyFile(path, known);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrashcartException(FailureReason.System, $"Could not read the audit log {path}: {e.Message}", e);
        }
    }

    private static AuditLink Known(string text) => AuditDirectory.ParseHead(
        text.Split(':') is [var number, var hash] ? number.PadLeft(12, '0') + " " + hash.ToLowerInvariant() + "\n" : "")
        ?? throw new CrashcartException(FailureReason.BadRequest, $"'{text}' is no head: give a line's number and the SHA-256 of that line, as NUMBER:HASH.");

    private static AuditVerdict VerifyDirectory(string path, List<AuditLink> heads)
    {
        var directory = new AuditDirectory(path);
        directory.Require();
        // Before the lines: what is written meanwhile is after it.
        bool hasHead = directory.HasHead;
        AuditLink? head = directory.ReadHead();
        IReadOnlyList<AuditFile> files = directory.Files();
        var verifier = new AuditVerifier(head is { } kept ? heads.Append(kept) : heads);
        foreach (AuditFile file in files)
        {
            if (verifier.IsDone)
                break;
            verifier.Read(file, directory);
        }
        if (verifier._first is { } first && !verifier.IsDone)
            verifier.CheckBeginning(files[0], first);
        verifier.CheckTorn(directory);
        verifier.CheckHeads(path);
        if (head is null)
            verifier.Complain(path, 0, hasHead ? "its 'head', which says how far the log goes, is damaged" : "its 'head', which says how far the log goes, is missing");
        return verifier.Verdict();
    }

    private static AuditVerdict VerifyFile(string path, List<AuditLink> heads)
    {
        var verifier = new AuditVerifier(heads);
        verifier.Read(new AuditFile(path, 0), directory: null);
        verifier.CheckHeads(path);
        return verifier.Verdict();
    }

    private bool IsDone => _problem.Length > 0;

    private AuditVerdict Verdict() => new(_problem, _lines, _first is { } first ? first.Number + 1 : 0, _before?.Number ?? 0, _before?.Hash ?? "", _torn.Count);

    private void Read(AuditFile file, AuditDirectory? directory)
    {
        using var stream = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var lines = new AuditLineReader(stream);
        long number = 0;
        while (lines.Next() is { } line && !IsDone)
        {
            number++;
            if (!line.IsWhole)
                Complain(file.Path, number, "the line has no end: it was torn, or is being written now; verify again, and if it is still so, compare with another copy");
            else if (number == 1 && file.First > 0 && _before is { } before && file.First != before.Number + 1)
                Complain(file.Path, number, $"{Missing(before.Number + 1, file.First - 1)} before this file");
            else
                Check(file, number, line.Bytes, directory);
        }
    }

    private void Check(AuditFile file, long number, ReadOnlyMemory<byte> bytes, AuditDirectory? directory)
    {
        using JsonDocument? document = AuditLine.Parse(bytes);
        if (document is null)
        {
            Complain(file.Path, number, "this is no line of an audit log");
            return;
        }
        JsonElement line = document.RootElement;
        long seq = AuditLine.Number(line, "seq")!.Value;
        string prev = AuditLine.Text(line, "prev");
        if (_before is null)
        {
            var origin = new AuditLink(seq - 1, prev);
            if (file.First > 0 && seq != file.First)
                Complain(file.Path, number, $"this is line {seq}, and by its name the file begins with line {file.First}");
            else if (seq == 1 && origin != AuditLink.Origin)
                Complain(file.Path, number, "the first line of all names a line before it");
            _before = _first = origin;
        }
        AuditLink before = _before.Value;
        if (seq > before.Number + 1)
            Complain(file.Path, number, Missing(before.Number + 1, seq - 1));
        else if (seq < before.Number + 1)
            Complain(file.Path, number, $"this is line {seq}, and line {before.Number + 1} should be here: lines were moved, or doubled");
        else if (prev != before.Hash)
            Complain(file.Path, number, $"this line does not follow from line {before.Number}: one of the two was altered");
        _before = AuditLink.Of(seq, bytes.Span);
        _lines++;
        if (_heads.Remove(seq, out string? hash) && hash != _before.Value.Hash)
            Complain(file.Path, number, $"line {seq} is not the one that was written: its hash is another");
        Note(file, number, line, seq, directory);
    }

    private void Note(AuditFile file, long number, JsonElement line, long seq, AuditDirectory? directory)
    {
        switch (AuditLine.Text(line, "event"))
        {
            case "log.gap":
                Complain(file.Path, number, AuditLine.Text(line, "problem"));
                break;
            case "log.dropped":
                _dropped[AuditLine.Number(line, "throughSeq") ?? 0] = AuditLine.Text(line, "sha256");
                break;
            case "log.torn":
                _torn.Add(seq);
                if (directory is not null && !IsSame(directory.TornPath(seq), AuditLine.Text(line, "sha256")))
                    Complain(directory.TornPath(seq), 0, $"what was set apart here, as line {seq} says, is missing or was altered");
                break;
        }
    }

    private static bool IsSame(string path, string hash) => File.Exists(path) && Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))) == hash;

    private void CheckBeginning(AuditFile file, AuditLink first)
    {
        if (first.Number > 0 && (!_dropped.TryGetValue(first.Number, out string? hash) || hash != first.Hash))
            Complain(file.Path, 1, $"{Missing(1, first.Number)}, and no line says that they were dropped for their age or size");
    }

    private void CheckTorn(AuditDirectory directory)
    {
        foreach (long torn in directory.Torn().Where(number => !_torn.Contains(number)).Order())
            Complain(directory.TornPath(torn), 0, $"nothing in the log says that this was set apart before line {torn}");
    }

    private void CheckHeads(string path)
    {
        if (_heads.Count == 0)
            return;
        long head = _heads.Keys.Max();
        if (_before is not { } end)
            Complain(path, 0, Missing(1, head));
        else if (head > end.Number)
            Complain(path, 0, $"{Missing(end.Number + 1, head)} at the end");
        else
            Complain(path, 0, $"line {head} is known from elsewhere and is not here");
    }

    private static string Missing(long from, long through) => from == through ? $"line {from} is missing" : $"lines {from} to {through} are missing";

    /// <param name="line">0: it is about the whole file.</param>
    private void Complain(string file, long line, string problem)
    {
        if (_problem.Length == 0)
            _problem = line > 0 ? string.Create(CultureInfo.InvariantCulture, $"{file}:{line}: {problem}.") : $"{file}: {problem}.";
    }
}
