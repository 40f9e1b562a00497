using System.Collections.Concurrent;
using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Audit;
using Crashcart.Coordinator.Recordings;
using Crashcart.Coordinator.Streams;

namespace Crashcart.Coordinator.Auditing;

/// <summary>The sessions of one run in the audit log.</summary>
internal sealed class RunAudit(AuditLog log, AuditCaller caller, RunRequest request, RunId run)
{
    private readonly ConcurrentDictionary<int, AuditEvent> _begun = new();
    private readonly string _target = AuditedCalls.Targets(request.Container, request.Selection);

    /// <summary>Completes when it is on disk that the session starts.</summary>
    /// <exception cref="Native.CrashcartException">The log cannot be written.</exception>
    /// <param name="recording">Its id; empty: there is none.</param>
    public Task StartsAsync(int number, RunTarget target, StartSession order, string recording)
    {
        order.Origin = Callers.ToOrigin(caller, request.Reason);
        order.Origin.Container = target.Container.Name;
        AuditEvent session = Session(target, order) with { Recording = recording };
        _begun[number] = session;
        return log.WriteAsync(Wanted(session, order) with { Name = "session.start" });
    }

    /// <summary>The session does not start, for it cannot be recorded.</summary>
    public void Refused(RunTarget target, StartSession order, string why) =>
        log.Note(Wanted(Session(target, order), order) with { Name = "session.refused", Problem = why });

    private AuditEvent Session(RunTarget target, StartSession order) => new("session.end")
    {
        Caller = caller,
        Verb = order.Tool.Explain ? "explain" : "exec",
        Node = target.Node,
        Container = target.Container.Name,
        ContainerId = target.Container.Id,
        Run = run.Value,
        Session = order.SessionId,
    };

    private AuditEvent Wanted(AuditEvent session, StartSession order) => session with
    {
        Target = _target,
        Arguments = [.. order.Tool.Argv],
        Environment = [.. order.Tool.Environment.Select(pair => pair.Split('=')[0])],
        Profile = order.Tool.Profile.Length > 0 ? order.Tool.Profile : "debug",
        AddedCapabilities = [.. order.Tool.CapAdd],
        RunsAs = order.Tool.User,
        Image = order.Image?.Name ?? "",
        ImageDigest = order.Image is { OnlyWithoutOwn: false } image ? image.Digest : "",
        Reason = request.Reason,
    };

    /// <param name="pipe">What was sent; null when the session had no stream.</param>
    /// <param name="recording">Null: there is none.</param>
    public void Ended(int number, SessionOutcome outcome, SessionPipe? pipe, RecordingEnd? recording)
    {
        if (!_begun.TryRemove(number, out AuditEvent? session))
            return;
        log.Note(session with
        {
            ExitCode = (outcome as SessionOutcome.Exited)?.Code,
            Problem = outcome switch
            {
                SessionOutcome.Exited exited => exited.Why,
                SessionOutcome.Failure failure => failure.Message,
                _ => "",
            },
            OutputBytes = pipe?.OutputBytes,
            InputBytes = pipe?.InputBytes,
            Recording = recording?.Id ?? "",
            RecordingBytes = recording?.Bytes,
            RecordingSha256 = recording?.Sha256 ?? "",
        });
    }
}
