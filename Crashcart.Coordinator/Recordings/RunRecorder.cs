using Crashcart.Actors.Fleet;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;
using Crashcart.Audit;

namespace Crashcart.Coordinator.Recordings;

/// <summary>Begins the recordings of one run's sessions, where the policy asks for them.</summary>
internal sealed class RunRecorder(RecordingStore store, TargetAccess access, AuditCaller caller, TimeProvider time, ILogger<RecordingStore> log)
{
    /// <summary>Null: nothing is to be recorded.</summary>
    /// <exception cref="RecordingException">The session must not start; the message is a sentence.</exception>
    public async Task<Recording?> BeginAsync(RunTarget target, StartSession order)
    {
        PolicyVerdict verdict = access.Decide(target);
        if (!verdict.IsAllowed)
            throw new RecordingException("The fleet's policy was changed before the session began, and does not allow it any more.");
        Recorded what = verdict.Rule?.Record ?? Recorded.Nothing;
        // Nothing runs where somebody asks what a tool would be allowed.
        if (what == Recorded.Nothing || order.Tool.Explain)
            return null;
        if (order.Keep is not null)
            throw new RecordingException(
                $"The policy has this recorded (rule '{verdict.Rule!.Name}'), and the output of a detached run stays on its nodes: run it without --detach.");
        try
        {
            return await store.BeginAsync(Header(target, order, hasInput: what == Recorded.Input));
        }
        catch (RecordingException e)
        {
            throw Refusal(order.SessionId, e);
        }
    }

    /// <summary>For the run's client.</summary>
    public string Failure(string session, RecordingException failure)
    {
        RecordingLog.Failed(log, session, failure.Message);
        return $"The policy has this session recorded, and the coordinator can record no more: {failure.Message}; the tool was ended.";
    }

    private RecordingException Refusal(string session, RecordingException failure)
    {
        RecordingLog.Failed(log, session, failure.Message);
        return new RecordingException($"The policy has this session recorded, and the coordinator cannot: {failure.Message}; nothing was started.", failure);
    }

    private RecordingHeader Header(RunTarget target, StartSession order, bool hasInput) => new(
        order.SessionId,
        caller.User,
        time.GetUtcNow(),
        target.Node,
        target.Container.Name,
        target.Container.Id,
        string.Join(' ', order.Tool.Argv),
        order.Tool.Terminal is { } size ? new WindowCells(size.Columns, size.Rows) : null)
    {
        Term = order.Tool.Environment.LastOrDefault(pair => pair.StartsWith("TERM=", StringComparison.Ordinal))?["TERM=".Length..] ?? "",
        HasInput = hasInput,
    };
}
