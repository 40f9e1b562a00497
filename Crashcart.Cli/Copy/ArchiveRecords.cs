using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>The records of a pax extended header: <c>LENGTH KEY=VALUE\n</c>, values of any bytes.</summary>
internal sealed class ArchiveRecords
{
    // GNU tar's sparse files, "GNU.sparse 1.0".
    public const string SparseMajor = "GNU.sparse.major";
    public const string SparseMinor = "GNU.sparse.minor";
    public const string SparseName = "GNU.sparse.name";
    public const string SparseSize = "GNU.sparse.realsize";

    public const string Path = "path";
    public const string LinkPath = "linkpath";
    public const string Size = "size";
    public const string Owner = "uid";
    public const string Group = "gid";
    public const string Modified = "mtime";

    private const int NanosecondDigits = 9;

    private readonly Dictionary<string, byte[]> _records = new(StringComparer.Ordinal);

    public byte[]? this[string key] => _records.GetValueOrDefault(key);

    /// <exception cref="InvalidDataException">The text is not made of records.</exception>
    public static ArchiveRecords Parse(ReadOnlySpan<byte> text)
    {
        var records = new ArchiveRecords();
        while (!text.IsEmpty)
        {
            if (!Utf8Parser.TryParse(text, out int length, out var digits) || length <= digits + 2 || length > text.Length
                || text[digits] != ' ' || text[length - 1] != '\n' || text[digits..length].IndexOf((byte)'=') is var equals && equals < 0)
                throw ArchiveHeader.Corrupt("a record of its extended headers is malformed");
            records._records[Encoding.UTF8.GetString(text[(digits + 1)..(digits + equals)])] = text[(digits + equals + 1)..(length - 1)].ToArray();
            text = text[length..];
        }

        return records;
    }

    public void Add(string key, ReadOnlySpan<byte> value) => _records[key] = value.ToArray();

    public void Add(string key, long value) => Add(key, Encoding.ASCII.GetBytes(value.ToString(CultureInfo.InvariantCulture)));

    public void Add(string key, FileTime time)
    {
        // A fraction counts away from zero in the text, and forward in the time.
        var (seconds, nanoseconds) = time is { Seconds: < 0, Nanoseconds: > 0 } ? (time.Seconds + 1, 1_000_000_000 - time.Nanoseconds) : (time.Seconds, time.Nanoseconds);
        var sign = time.Seconds < 0 ? "-" : "";
        Add(key, Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{sign}{Math.Abs(seconds)}.{nanoseconds:000000000}")));
    }

    /// <exception cref="InvalidDataException">The record is no such number.</exception>
    public long? Number(string key) => this[key] is not { } value ? null
        : long.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number
        : throw ArchiveHeader.Corrupt($"its record '{key}' is no number");

    /// <exception cref="InvalidDataException">The record is no time.</exception>
    public FileTime? Time(string key)
    {
        if (this[key] is not { } value)
            return null;
        var text = Encoding.ASCII.GetString(value).Split('.');
        var fraction = (text is [_, var given] ? given : "").PadRight(NanosecondDigits, '0')[..NanosecondDigits];
        if (text.Length > 2 || !long.TryParse(text[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds)
            || !uint.TryParse(fraction, NumberStyles.None, CultureInfo.InvariantCulture, out var nanoseconds))
            throw ArchiveHeader.Corrupt($"its record '{key}' is no time");
        return nanoseconds > 0 && text[0].StartsWith('-') ? new FileTime(seconds - 1, 1_000_000_000 - nanoseconds) : new FileTime(seconds, nanoseconds);
    }

    public byte[] ToBytes()
    {
        using var text = new MemoryStream();
        foreach (var (key, value) in _records)
        {
            var rest = key.Length + value.Length + 3;
            var length = rest + Digits(rest);
            // Its own digits count, and may make it longer by one.
            length = rest + Digits(length);
            text.Write(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{length} {key}=")));
            text.Write(value);
            text.Write("\n"u8);
        }

        return text.ToArray();
    }

    private static int Digits(int number) => number.ToString(CultureInfo.InvariantCulture).Length;
}
