using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Crashcart.Audit.Sinks;

/// <summary>What of a line stands beside it where it goes to the host's log.</summary>
/// <param name="Event">Printable, without spaces.</param>
/// <param name="Time">As RFC 3339 has it.</param>
internal sealed record LineFacts(long Number, string Event, string Time)
{
    /// <summary>Of RFC 5424.</summary>
    public const string Unknown = "-";

    /// <summary>authpriv: what hosts keep for their administrators alone.</summary>
    public const int Facility = 10;

    private const int Notice = 5;
    private const int Warning = 4;
    private const int LongestWord = 32;

    private static readonly string[] Kept = ["time", "event", "user", "verb", "node", "container", "run", "session"];

    public int Severity => Event is "denied" or "log.gap" or "log.torn" or "sink.gap" ? Warning : Notice;

    public static LineFacts Of(ReadOnlyMemory<byte> line)
    {
        using JsonDocument? document = AuditLine.Parse(line);
        return document is null
            ? new LineFacts(0, Unknown, Unknown)
            : new LineFacts(AuditLine.Number(document.RootElement, "seq")!.Value, Word(document.RootElement, "event"), Word(document.RootElement, "time"));
    }

    /// <summary>A line that says what was in a longer one, and which that was.</summary>
    public static ReadOnlyMemory<byte> Shorten(ReadOnlyMemory<byte> line)
    {
        const int MostText = 256;
        var shortened = new ArrayBufferWriter<byte>();
        using JsonDocument? document = AuditLine.Parse(line);
        using (var json = new Utf8JsonWriter(shortened))
        {
            json.WriteStartObject();
            if (document is not null)
            {
                json.WriteNumber("seq", AuditLine.Number(document.RootElement, "seq")!.Value);
                json.WriteString("prev", AuditLine.Text(document.RootElement, "prev"));
                foreach (string name in Kept)
                {
                    if (AuditLine.Text(document.RootElement, name) is { Length: > 0 } text)
                        json.WriteString(name, text[..Math.Min(text.Length, MostText)]);
                }
            }
            json.WriteNumber("shortenedFrom", line.Length);
            json.WriteString("sha256", Convert.ToHexStringLower(SHA256.HashData(line.Span)));
            json.WriteEndObject();
        }
        return shortened.WrittenMemory;
    }

    private static string Word(JsonElement line, string name) =>
        AuditLine.Text(line, name) is { Length: > 0 and <= LongestWord } word && word.All(c => c is > ' ' and <= '~') ? word : Unknown;
}
