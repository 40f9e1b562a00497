using System.IO.Enumeration;
using System.Text.Json;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Crashcart.Audit;
using Google.Protobuf;

namespace Crashcart.Coordinator.Recordings;

/// <summary>This coordinator's recordings, and what its audit log says of them.</summary>
internal sealed class RecordingShelf(RecordingStore store, string auditDirectory) : IRecordingShelf
{
    /// <summary>Of a message's 1 MiB.</summary>
    private const int MostInAnswer = 512 << 10;
    private const int MostInPart = 128 << 10;

    /// <summary>Characters of a command in a list.</summary>
    private const int MostCommand = 512;

    public Task<RecordingsFound> FindAsync(FindRecordings find) => Task.Run(() =>
    {
        List<RecordingFacts> meant = [.. store.List().Where(facts => IsMeant(facts, find)).Reverse()];
        var answer = new RecordingsFound();
        int room = MostInAnswer;
        foreach (RecordingDescription one in meant.Select(facts => Describe(facts, find.Audited)).TakeWhile(one => (room -= one.CalculateSize()) > 0))
            answer.Recordings.Add(one);
        answer.LeftOut = meant.Count - answer.Recordings.Count;
        return answer;
    });

    public Task<RecordingRead> ReadAsync(ReadRecording read) => Task.Run(() =>
    {
        if (store.Open(read.Id) is not { } open)
            return new RecordingRead { Problem = $"The recording {read.Id} is not there any more." };
        using FileStream file = open.File;
        byte[] data = new byte[(int)Math.Clamp(file.Length - read.Offset, 0, MostInPart)];
        file.Position = read.Offset;
        int length = file.ReadAtLeast(data, data.Length, throwOnEndOfStream: false);
        return new RecordingRead { Data = ByteString.CopyFrom(data, 0, length) };
    });

    private static bool IsMeant(RecordingFacts facts, FindRecordings find)
    {
        RecordingHeader header = facts.Header;
        return (find.Id.Length == 0 || header.Id.StartsWith(find.Id, StringComparison.Ordinal) || header.Id.StartsWith("run-" + find.Id, StringComparison.Ordinal))
            && (find.SinceUnixMs == 0 || header.Started.ToUnixTimeMilliseconds() >= find.SinceUnixMs)
            && IsIn(find.User, [header.User, .. header.User.Split(' ', '(', ')')])
            && IsIn(find.Target, [$"{header.Node}/{header.Container}", header.Node, header.Container, header.ContainerId, header.Id]);
    }

    private static bool IsIn(string glob, IEnumerable<string> texts) =>
        glob.Length == 0 || texts.Any(text => FileSystemName.MatchesSimpleExpression(glob, text, ignoreCase: false));

    private RecordingDescription Describe(RecordingFacts facts, bool isAudited) => new()
    {
        Id = facts.Header.Id,
        User = facts.Header.User,
        StartedUnixMs = facts.Header.Started.ToUnixTimeMilliseconds(),
        Node = facts.Header.Node,
        Container = facts.Header.Container,
        ContainerId = facts.Header.ContainerId,
        Command = facts.Header.Command.Length <= MostCommand ? facts.Header.Command : facts.Header.Command[..MostCommand] + "…",
        Terminal = facts.Header.IsTerminal,
        Input = facts.Header.HasInput,
        LengthMs = (long)facts.Length.TotalMilliseconds,
        Size = facts.Size,
        State = facts.State.ToString().ToLowerInvariant(),
        AuditedSha256 = isAudited ? Audited(facts.Header) : "",
    };

    /// <summary>Empty: the log has nothing of it, or no more.</summary>
    private string Audited(RecordingHeader header)
    {
        var query = new AuditQuery(Target: header.Id, Since: header.Started);
        foreach (string line in query.Read(auditDirectory))
        {
            using JsonDocument document = JsonDocument.Parse(line);
            if (document.RootElement.TryGetProperty("recordingSha256", out JsonElement hash))
                return hash.GetString() ?? "";
        }
        return "";
    }
}
