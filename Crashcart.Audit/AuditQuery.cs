using System.IO.Enumeration;
using System.Text;
using System.Text.Json;

namespace Crashcart.Audit;

/// <summary>Which lines of a log are wanted. What is empty or null asks for nothing.</summary>
/// <param name="User">A glob of the user, or of one of its words, such as the name alone.</param>
/// <param name="Target">A glob of NODE/CONTAINER, a container, a node, an id, or what else was asked for.</param>
/// <param name="Verb">A glob.</param>
/// <param name="Limit">At most so many, the newest; 0 is no limit.</param>
public sealed record AuditQuery(string User = "", string Target = "", string Verb = "", DateTimeOffset? Since = null, DateTimeOffset? Until = null, int Limit = 0)
{
    private static readonly string[] TargetFields = ["container", "containerId", "node", "target", "run", "session"];

    /// <summary>The lines, the oldest first.</summary>
    /// <param name="directory">The log's.</param>
    /// <param name="room">Bytes that they may have together; older ones are left out.</param>
    /// <exception cref="IOException">The log cannot be read.</exception>
    public IReadOnlyList<string> Read(string directory, long room = long.MaxValue)
    {
        if (!Directory.Exists(directory))
            return [];
        var found = new Queue<string>();
        foreach (AuditFile file in new AuditDirectory(directory).Files().Where(file => Since is null || File.GetLastWriteTimeUtc(file.Path) >= Since))
        {
            using var stream = new FileStream(file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var lines = new AuditLineReader(stream);
            // What has no end is being written.
            while (lines.Next() is { IsWhole: true } line)
            {
                if (!Matches(line.Bytes))
                    continue;
                room -= line.Bytes.Length;
                found.Enqueue(Encoding.UTF8.GetString(line.Bytes.Span));
                while ((Limit > 0 && found.Count > Limit) || (room < 0 && found.Count > 0))
                    room += found.Dequeue().Length;
            }
        }
        return [.. found];
    }

    private bool Matches(ReadOnlyMemory<byte> line)
    {
        if (AuditLine.Parse(line) is not { } document)
            return false;
        using (document)
        {
            JsonElement fields = document.RootElement;
            string user = AuditLine.Text(fields, "user");
            return IsIn(Verb, AuditLine.Text(fields, "verb"))
                && IsIn(User, [user, .. user.Split(' ', '(', ')')])
                && IsIn(Target, [$"{AuditLine.Text(fields, "node")}/{AuditLine.Text(fields, "container")}", .. TargetFields.Select(name => AuditLine.Text(fields, name))])
                && IsInTime(fields);
        }
    }

    private bool IsInTime(JsonElement fields) =>
        (Since is null && Until is null)
        || (fields.TryGetProperty("time", out JsonElement time) && time.ValueKind == JsonValueKind.String && time.TryGetDateTimeOffset(out DateTimeOffset at)
            && (Since is null || at >= Since) && (Until is null || at <= Until));

    private static bool IsIn(string glob, params IEnumerable<string> texts) =>
        glob.Length == 0 || texts.Any(text => FileSystemName.MatchesSimpleExpression(glob, text, ignoreCase: false));
}
