using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Audit;

namespace Crashcart.Node.Auditing;

internal sealed class AuditLines(AuditLog log) : IAuditLines
{
    /// <summary>Bytes; an answer crosses the cluster's connection, where nothing may delay heartbeats.</summary>
    private const int Room = 64 << 10;

    public Task<IReadOnlyList<string>> FindAsync(FindAudit question) => Task.Run(() =>
    {
        try
        {
            return question.ToQuery().Read(log.Directory, Room);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NodeException(NodeFailure.Failed, $"The audit log could not be read: {e.Message}", e);
        }
    });
}

/// <summary>Between the wire and the log.</summary>
public static class AuditQueries
{
    public static AuditQuery ToQuery(this FindAudit question) => new(
        question.User,
        question.Target,
        question.Verb,
        ToTime(question.SinceUnixMs),
        ToTime(question.UntilUnixMs),
        question.Limit);

    private static DateTimeOffset? ToTime(long unixMs) =>
        unixMs > 0 ? DateTimeOffset.FromUnixTimeMilliseconds(Math.Min(unixMs, DateTimeOffset.MaxValue.ToUnixTimeMilliseconds())) : null;
}
