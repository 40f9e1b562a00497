using System.Globalization;
using System.Text;
using Crashcart.Native;
using Microsoft.Win32.SafeHandles;

namespace Crashcart.Audit;

/// <summary>
/// What is where in a log's directory: files of lines, named by the number of their first line; <c>head</c>, which says how far the log
/// goes; what was torn off the ends of files; and how far each sink is. All of it is its owner's alone, whatever the umask is.
/// </summary>
internal sealed class AuditDirectory(string path)
{
    private const string Prefix = "audit-";
    private const string Suffix = ".jsonl";
    private const string TornPrefix = "torn-";
    private const string SinkPrefix = "sink-";
    private const int Digits = 12;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public string Path => path;

    public bool HasHead => File.Exists(HeadPath);

    private string HeadPath => System.IO.Path.Combine(path, "head");

    /// <summary>The files of lines in their order.</summary>
    public IReadOnlyList<AuditFile> Files() =>
    [
        .. Directory.EnumerateFiles(path, Prefix + "*" + Suffix)
            .Select(file => (Path: file, First: NumberIn(System.IO.Path.GetFileName(file), Prefix, Suffix)))
            .Where(file => file.First > 0)
            .Select(file => new AuditFile(file.Path, file.First))
            .OrderBy(file => file.First),
    ];

    /// <summary>Numbers of the lines that say of what was torn off.</summary>
    public IEnumerable<long> Torn() => Directory.EnumerateFiles(path, TornPrefix + "*").Select(file => NumberIn(System.IO.Path.GetFileName(file), TornPrefix, "")).Where(number => number > 0);

    public string TornPath(long number) => System.IO.Path.Combine(path, Name(TornPrefix, number, ""));

    /// <exception cref="CrashcartException">There is no log.</exception>
    public void Require()
    {
        if (!HasHead && Files().Count == 0)
            throw new CrashcartException(FailureReason.BadRequest, $"There is no audit log in {path}.");
    }

    /// <summary>Makes the directory.</summary>
    public void Make()
    {
        const UnixFileMode Mode = OwnerOnly | UnixFileMode.UserExecute;
        Directory.CreateDirectory(path, Mode);
        File.SetUnixFileMode(path, Mode);
    }

    /// <summary>As long as the result is open, no other process writes here; it ends with the process, however that ends.</summary>
    /// <exception cref="IOException">Another process has it.</exception>
    public SafeFileHandle Lock() => Open(System.IO.Path.Combine(path, "lock"), FileMode.OpenOrCreate, FileShare.None);

    /// <summary>Files that say how far sinks are, by the sinks' names.</summary>
    public IEnumerable<(string Name, string Path)> Sinks() =>
        Directory.EnumerateFiles(path, SinkPrefix + "*").Order(StringComparer.Ordinal).Select(file => (System.IO.Path.GetFileName(file)[SinkPrefix.Length..], file));

    public string SinkPath(string sink) => System.IO.Path.Combine(path, SinkPrefix + sink);

    public SafeFileHandle OpenSink(string sink) => Open(SinkPath(sink), FileMode.OpenOrCreate, FileShare.Read);

    /// <summary>A file that is written meanwhile, and may be dropped.</summary>
    public static SafeFileHandle OpenToRead(AuditFile file) => File.OpenHandle(file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    public static SafeFileHandle Open(AuditFile file) => Open(file.Path, FileMode.Open, FileShare.Read | FileShare.Delete);

    public (AuditFile File, SafeFileHandle Handle) Create(long first)
    {
        var file = new AuditFile(System.IO.Path.Combine(path, Name(Prefix, first, Suffix)), first);
        SafeFileHandle handle = Open(file.Path, FileMode.OpenOrCreate, FileShare.Read | FileShare.Delete);
        KeptFile.SyncDirectory(path);
        return (file, handle);
    }

    /// <summary>Keeps what was torn off the end of a file, in one of its own.</summary>
    public void KeepTorn(long number, ReadOnlySpan<byte> bytes)
    {
        using SafeFileHandle torn = Open(TornPath(number), FileMode.Create, FileShare.None);
        RandomAccess.Write(torn, bytes, 0);
        RandomAccess.FlushToDisk(torn);
        KeptFile.SyncDirectory(path);
    }

    /// <summary>Throws away a file, and what was torn off before its end.</summary>
    public void Drop(AuditFile file, long through)
    {
        foreach (long torn in Torn().Where(number => number <= through).ToList())
            File.Delete(TornPath(torn));
        File.Delete(file.Path);
        KeptFile.SyncDirectory(path);
    }

    public SafeFileHandle OpenHead() => Open(HeadPath, FileMode.OpenOrCreate, FileShare.Read);

    /// <summary>One write of always the same length, in one sector: there is no moment at which it is neither the old nor the new.</summary>
    public static void WriteHead(SafeFileHandle head, AuditLink link)
    {
        RandomAccess.Write(head, Encoding.ASCII.GetBytes(HeadText(link)), 0);
        RandomAccess.FlushToDisk(head);
    }

    public static string HeadText(AuditLink link) => string.Create(CultureInfo.InvariantCulture, $"{link.Number:D12} {link.Hash}\n");

    /// <summary>Null when there is none, or none that can be read.</summary>
    public AuditLink? ReadHead()
    {
        if (!File.Exists(HeadPath))
            return null;
        using var file = new StreamReader(new FileStream(HeadPath, FileMode.Open, FileAccess.Read, FileShare.ReadWrite), Encoding.ASCII);
        return ParseHead(file.ReadToEnd());
    }

    /// <summary>As <c>head</c> has it.</summary>
    public static AuditLink? ParseHead(string text) =>
        text is [.. var line, '\n'] && line.Split(' ') is [var number, { Length: 64 } hash] && number.Length == Digits
        && long.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out long seq) && hash.All(char.IsAsciiHexDigitLower)
            ? new AuditLink(seq, hash)
            : null;

    private static SafeFileHandle Open(string file, FileMode mode, FileShare share)
    {
        SafeFileHandle handle = File.OpenHandle(file, mode, FileAccess.ReadWrite, share);
        File.SetUnixFileMode(handle, OwnerOnly);
        return handle;
    }

    private static string Name(string prefix, long number, string suffix) => prefix + number.ToString("D12", CultureInfo.InvariantCulture) + suffix;

    /// <summary>0 when it is no such name.</summary>
    private static long NumberIn(string name, string prefix, string suffix) =>
        name.Length == prefix.Length + Digits + suffix.Length
        && long.TryParse(name.AsSpan(prefix.Length, Digits), NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
}

/// <param name="First">The number of its first line.</param>
internal sealed record AuditFile(string Path, long First)
{
    public string Name => System.IO.Path.GetFileName(Path);
}
