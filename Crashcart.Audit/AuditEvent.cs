using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Crashcart.Audit;

/// <summary>Who asked for something.</summary>
/// <param name="User">By certificate <c>user NAME</c>, by the Unix socket <c>uid NUMBER (NAME)</c>.</param>
/// <param name="From">An address, or <c>unix</c>.</param>
public sealed record AuditCaller(string User, IReadOnlyList<string> Groups, string From);

/// <summary>What a line of the log tells. What is null or empty is left out of the line.</summary>
/// <param name="Name">As in docs/audit.md, such as <c>session.start</c>.</param>
public sealed record AuditEvent(string Name)
{
    /// <summary>Bytes of arguments, and of environment names, that a line has; of more it has their number and hash.</summary>
    internal const int MostText = 32 << 10;

    public AuditCaller? Caller { get; init; }

    public string Verb { get; init; } = "";

    public string Node { get; init; } = "";

    public string Container { get; init; } = "";

    public string ContainerId { get; init; } = "";

    /// <summary>What was asked for, where that is no single container: a selection, a node, an image, a session.</summary>
    public string Target { get; init; } = "";

    /// <summary>The tool and its arguments.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Names alone: values may be secrets.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    public string Image { get; init; } = "";

    /// <summary>sha256: and 64 hex digits.</summary>
    public string ImageDigest { get; init; } = "";

    public string Profile { get; init; } = "";

    public IReadOnlyList<string> AddedCapabilities { get; init; } = [];

    /// <summary>Who the tool runs as, in the container.</summary>
    public string RunsAs { get; init; } = "";

    public string Reason { get; init; } = "";

    public string Run { get; init; } = "";

    public string Session { get; init; } = "";

    /// <summary>The tool's exit status.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Bytes that the tool wrote to its standard output and error.</summary>
    public long? OutputBytes { get; init; }

    /// <summary>Bytes that were sent to its standard input.</summary>
    public long? InputBytes { get; init; }

    /// <summary>The id of the session's recording.</summary>
    public string Recording { get; init; } = "";

    /// <summary>Of the recording, bytes.</summary>
    public long? RecordingBytes { get; init; }

    /// <summary>Of the recording, 64 hex digits.</summary>
    public string RecordingSha256 { get; init; } = "";

    /// <summary>Why it did not go as asked: one sentence.</summary>
    public string Problem { get; init; } = "";

    /// <summary>How many more there were of the same kind that have no line of their own.</summary>
    public long? Omitted { get; init; }

    /// <summary>What only the log's own events have.</summary>
    internal AuditLogFacts? Log { get; init; }

    internal void WriteTo(Utf8JsonWriter json)
    {
        json.WriteString("event", Name);
        if (Caller is { } caller)
        {
            Write(json, "user", caller.User);
            Write(json, "groups", caller.Groups);
            Write(json, "from", caller.From);
        }
        Write(json, "verb", Verb);
        Write(json, "node", Node);
        Write(json, "container", Container);
        Write(json, "containerId", ContainerId);
        Write(json, "target", Target);
        Write(json, "args", Arguments);
        Write(json, "env", Environment);
        Write(json, "image", Image);
        Write(json, "imageDigest", ImageDigest);
        Write(json, "profile", Profile);
        Write(json, "capAdd", AddedCapabilities);
        Write(json, "runsAs", RunsAs);
        Write(json, "reason", Reason);
        Write(json, "run", Run);
        Write(json, "session", Session);
        Write(json, "exit", ExitCode);
        Write(json, "outputBytes", OutputBytes);
        Write(json, "inputBytes", InputBytes);
        Write(json, "recording", Recording);
        Write(json, "recordingBytes", RecordingBytes);
        Write(json, "recordingSha256", RecordingSha256);
        Write(json, "problem", Problem);
        Write(json, "omitted", Omitted);
        Log?.WriteTo(json);
    }

    private static void Write(Utf8JsonWriter json, string name, long? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
    }

    private static void Write(Utf8JsonWriter json, string name, string value)
    {
        if (value.Length <= MostText)
        {
            if (value.Length > 0)
                json.WriteString(name, value);
            return;
        }
        json.WriteString(name, value[..MostText]);
        json.WriteString(name + "Sha256", Sha256([value]));
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyList<string> values)
    {
        if (values.Count == 0)
            return;
        json.WriteStartArray(name);
        int room = MostText, written = 0;
        foreach (string value in values.TakeWhile(value => (room -= value.Length) >= 0))
        {
            json.WriteStringValue(value);
            written++;
        }
        json.WriteEndArray();
        if (written == values.Count)
            return;
        json.WriteNumber(name + "Omitted", values.Count - written);
        json.WriteString(name + "Sha256", Sha256(values));
    }

    /// <summary>Of all values, each with a zero byte after it.</summary>
    private static string Sha256(IReadOnlyList<string> values)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string value in values)
            hash.AppendData(Encoding.UTF8.GetBytes(value + '\0'));
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}

/// <summary>About lines and files of the log itself.</summary>
/// <param name="File">Its name in the log's directory.</param>
/// <param name="From">The first line's number.</param>
/// <param name="Through">The last line's number.</param>
/// <param name="Hash">SHA-256, of the last line or of the file.</param>
internal sealed record AuditLogFacts(string? File = null, long? From = null, long? Through = null, string? Hash = null, long? Bytes = null)
{
    public void WriteTo(Utf8JsonWriter json)
    {
        if (File is not null)
            json.WriteString("file", File);
        if (From is { } from)
            json.WriteNumber("fromSeq", from);
        if (Through is { } through)
            json.WriteNumber("throughSeq", through);
        if (Hash is not null)
            json.WriteString("sha256", Hash);
        if (Bytes is { } bytes)
            json.WriteNumber("bytes", bytes);
    }
}
