using System.Globalization;
using System.Text;
using Crashcart.Native;
using Microsoft.Win32.SafeHandles;

namespace Crashcart.Audit.Sinks;

/// <summary>How far a sink has come, as its file in the log's directory says.</summary>
/// <param name="Sink">One word.</param>
/// <param name="Sent">Number of the last line that was taken.</param>
/// <param name="Since">Since when nothing is taken; null when all goes well.</param>
/// <param name="Problem">Why nothing is taken.</param>
public sealed record SinkStatus(string Sink, long Sent, DateTimeOffset? Since, string Problem)
{
    /// <summary>Of a log's directory.</summary>
    /// <exception cref="CrashcartException">It is none.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static IReadOnlyList<SinkStatus> In(string directory)
    {
        var log = new AuditDirectory(directory);
        log.Require();
        return [.. log.Sinks().Select(sink => SinkCursor.Status(sink.Name, sink.Path))];
    }

    /// <summary>Number of a log's last line; 0 when it has none.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static long End(string directory) => new AuditDirectory(directory).ReadHead()?.Number ?? 0;
}

/// <summary>
/// A sink's file: the last line that was taken, as <c>head</c> has it, and since when nothing is taken and why. It is written in place, in
/// one sector, without fsync(2): after a power cut some lines are sent again.
/// </summary>
internal sealed class SinkCursor : IDisposable
{
    private const int Size = 512;
    private const int HeadSize = 12 + 1 + 64 + 1;
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    /// <summary>In the place of the line, as long as nothing was taken.</summary>
    private static readonly string Nothing = new string(' ', HeadSize - 1) + "\n";

    private readonly SafeFileHandle _file;

    /// <exception cref="IOException">The file cannot be made or read.</exception>
    public SinkCursor(AuditDirectory directory, string sink)
    {
        _file = directory.OpenSink(sink);
        byte[] bytes = AuditScan.ReadAll(_file);
        Sent = Parse(bytes).Sent;
        IsDamaged = Sent is null && bytes.Length > 0 && !Encoding.ASCII.GetString(bytes).StartsWith(Nothing, StringComparison.Ordinal);
    }

    /// <summary>Null: nothing was taken yet, or the file is damaged.</summary>
    public AuditLink? Sent { get; private set; }

    public bool IsDamaged { get; }

    public void Advance(AuditLink sent)
    {
        Sent = sent;
        Write("");
    }

    public void Fail(DateTimeOffset since, string problem) => Write(since.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture) + " " + problem);

    public void Dispose() => _file.Dispose();

    public static SinkStatus Status(string sink, string path)
    {
        using SafeFileHandle file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        (AuditLink? sent, string rest) = Parse(AuditScan.ReadAll(file));
        bool isFailing = DateTimeOffset.TryParseExact(
            rest.Split(' ')[0], TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out DateTimeOffset since);
        return new SinkStatus(sink, sent?.Number ?? 0, isFailing ? since : null, isFailing ? rest[(rest.IndexOf(' ', StringComparison.Ordinal) + 1)..] : "");
    }

    private static (AuditLink? Sent, string State) Parse(byte[] bytes)
    {
        string text = Encoding.ASCII.GetString(bytes);
        return text.Length < HeadSize ? (null, "") : (AuditDirectory.ParseHead(text[..HeadSize]), text[HeadSize..].TrimEnd());
    }

    private void Write(string rest)
    {
        string text = (Sent is { } sent ? AuditDirectory.HeadText(sent) : Nothing) + Printable(rest);
        RandomAccess.Write(_file, Encoding.ASCII.GetBytes(text.Length >= Size ? text[..(Size - 1)] + "\n" : text.PadRight(Size - 1) + "\n"), 0);
    }

    private static string Printable(string text) => string.Concat(text.Select(c => c is >= ' ' and <= '~' ? c : '?'));
}
