using System.Text.Encodings.Web;
using System.Text.Json;

namespace Crashcart.Coordinator.Recordings;

/// <summary>
/// The first line of a recording: what was recorded, and whose it was. Of a terminal it is the header of an asciicast of version 2, which has
/// a place for what is ours and other players pass over it.
/// </summary>
/// <param name="Id">The session's.</param>
/// <param name="User">As audit logs name people.</param>
/// <param name="Size">Of the terminal's window; null: the session had none.</param>
internal sealed record RecordingHeader(
    string Id, string User, DateTimeOffset Started, string Node, string Container, string ContainerId, string Command, WindowCells? Size)
{
    /// <summary>Bytes that the line may have.</summary>
    public const int Longest = 128 << 10;

    /// <summary>Characters of the command that are kept.</summary>
    private const int MostCommand = 8 << 10;

    internal static readonly JsonWriterOptions Json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>TERM, as the tool had it; empty: it was not said.</summary>
    public string Term { get; init; } = "";

    /// <summary>Input is recorded, too.</summary>
    public bool HasInput { get; init; }

    public bool IsTerminal => Size is not null;

    public byte[] ToLine()
    {
        using var line = new MemoryStream();
        using (var json = new Utf8JsonWriter(line, Json))
        {
            json.WriteStartObject();
            if (Size is { } size)
            {
                json.WriteNumber("version", 2);
                json.WriteNumber("width", size.Columns);
                json.WriteNumber("height", size.Rows);
            }
            else
                json.WriteNumber("transcript", 1);
            json.WriteNumber("timestamp", Started.ToUnixTimeSeconds());
            json.WriteString("title", $"{Node}/{Container}");
            json.WriteString("command", Command.Length <= MostCommand ? Command : Command[..MostCommand] + "…");
            if (Term.Length > 0)
            {
                json.WriteStartObject("env");
                json.WriteString("TERM", Term);
                json.WriteEndObject();
            }
            json.WriteStartObject("crashcart");
            json.WriteString("id", Id);
            json.WriteString("user", User);
            json.WriteString("started", Started);
            json.WriteString("node", Node);
            json.WriteString("container", Container);
            json.WriteString("containerId", ContainerId);
            json.WriteBoolean("input", HasInput);
            json.WriteEndObject();
            json.WriteEndObject();
        }
        line.WriteByte((byte)'\n');
        return line.ToArray();
    }

    /// <summary>Null when it is none.</summary>
    public static RecordingHeader? Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            JsonElement root = document.RootElement, own = root.GetProperty("crashcart");
            return new RecordingHeader(
                Text(own, "id"),
                Text(own, "user"),
                own.GetProperty("started").GetDateTimeOffset(),
                Text(own, "node"),
                Text(own, "container"),
                Text(own, "containerId"),
                Text(root, "command"),
                root.TryGetProperty("width", out JsonElement width) ? new WindowCells(width.GetUInt32(), root.GetProperty("height").GetUInt32()) : null)
            {
                HasInput = own.GetProperty("input").GetBoolean(),
            };
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            return null;
        }
    }

    private static string Text(JsonElement fields, string name) => fields.GetProperty(name).GetString() ?? "";
}

/// <summary>The size of a terminal's window, in characters.</summary>
internal readonly record struct WindowCells(uint Columns, uint Rows)
{
    public override string ToString() => $"{Columns}x{Rows}";
}
