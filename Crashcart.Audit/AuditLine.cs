using System.Buffers;
using System.Security.Cryptography;
using System.Text.Json;

namespace Crashcart.Audit;

/// <summary>A place in the chain: a line's number and the SHA-256 of its bytes, without the newline.</summary>
internal readonly record struct AuditLink(long Number, string Hash)
{
    /// <summary>Before the first line of all.</summary>
    public static readonly AuditLink Origin = new(0, new string('0', 64));

    public static AuditLink Of(long number, ReadOnlySpan<byte> line) => new(number, Convert.ToHexStringLower(SHA256.HashData(line)));
}

/// <summary>One line of the log: JSON in ASCII, with the number of the line and the hash of the one before.</summary>
internal static class AuditLine
{
    public const byte End = (byte)'\n';

    /// <summary>Longer than any line that is written.</summary>
    public const int Longest = 2 << 20;

    /// <summary>Appends the line that follows <paramref name="before"/>, with its end.</summary>
    /// <returns>The line's own place.</returns>
    public static AuditLink Write(ArrayBufferWriter<byte> to, AuditLink before, AuditEvent happened, DateTimeOffset at)
    {
        int start = to.WrittenCount;
        // The default encoder escapes whatever is not printable ASCII: no line can end early, or speak to a terminal.
        using (var json = new Utf8JsonWriter(to))
        {
            json.WriteStartObject();
            json.WriteNumber("seq", before.Number + 1);
            json.WriteString("prev", before.Hash);
            json.WriteString("time", at.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", System.Globalization.CultureInfo.InvariantCulture));
            happened.WriteTo(json);
            json.WriteEndObject();
        }
        AuditLink link = AuditLink.Of(before.Number + 1, to.WrittenSpan[start..]);
        to.Write([End]);
        return link;
    }

    /// <summary>Null when the bytes are no line of a log.</summary>
    public static JsonDocument? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            var document = JsonDocument.Parse(line);
            if (document.RootElement.ValueKind == JsonValueKind.Object && Number(document.RootElement, "seq") is not null && Text(document.RootElement, "prev").Length > 0)
                return document;
            document.Dispose();
        }
        catch (JsonException)
        {
        }
        return null;
    }

    /// <summary>Empty when the line has no such text.</summary>
    public static string Text(JsonElement line, string name)
    {
        try
        {
            return line.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        }
        catch (InvalidOperationException)
        {
            // Escaped halves of a surrogate pair are JSON, and no text.
            return "";
        }
    }

    public static long? Number(JsonElement line, string name) =>
        line.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : null;
}
