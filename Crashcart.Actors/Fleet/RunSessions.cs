using System.Security.Cryptography;
using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// The sessions of one run: has them started a window at a time, and tells the client how each goes and ends. Only the run's
/// actor calls it.
/// </summary>
/// <param name="self">The run's actor.</param>
/// <param name="tell">Takes a message for a node's actor.</param>
/// <param name="changed">Called after each change; nothing waits or runs any more when <see cref="AreOver"/>.</param>
internal sealed class RunSessions(
    ISessionOrders orders, FanOut fanOut, IRunPort port, IActorRef self, ITimerScheduler timers, Action<Address, IWireMessage> tell, Action changed)
{
    /// <summary>From the request to the tool's start. A node gives up earlier by itself.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    private readonly RunRoster _roster = new();
    private readonly FanOutWindow _window = new(fanOut);
    private readonly HashSet<Address> _lost = [];
    private int _haltCode = 125;

    /// <summary>The stream's first frame, or the node's word, is overdue.</summary>
    public sealed record StartIsLate(int Target) : INoSerializationVerificationNeeded;

    /// <summary>The tool has run as long as it may.</summary>
    public sealed record SessionIsLate(int Target) : INoSerializationVerificationNeeded;

    /// <summary>The session may start.</summary>
    public sealed record Admitted(int Target, StartSession Order) : INoSerializationVerificationNeeded;

    public sealed record NotAdmitted(int Target, string Why) : INoSerializationVerificationNeeded;

    /// <summary>For each tool, as far as that is not the node's business; null means none.</summary>
    public TimeSpan? Timeout { get; init; }

    public int Count => _roster.Count;

    public bool AreOver => _window.IsDone;

    /// <summary>No more start.</summary>
    public bool IsHalted => _window.Halt.Length > 0;

    public IReadOnlyList<int> Running => [.. _window.Running];

    public bool Has(RunTarget target) => _roster.Has(target);

    public bool Has(SessionId session) => _roster.Has(session);

    public LiveRun Describe(RunPlan plan, DateTimeOffset began) => new()
    {
        RunId = plan.Id.Value,
        Tool = plan.Tool.Argv.FirstOrDefault() ?? "",
        By = plan.By,
        SinceUnixMs = began.ToUnixTimeMilliseconds(),
        Targets = _roster.Count,
        Waiting = _window.Waiting,
        Running = _window.Running.Count,
        Done = _window.Succeeded,
        Kept = plan.Keep is not null,
        Failed = _roster.Count - _window.Waiting - _window.Running.Count - _window.Succeeded,
    };

    public void Add(IReadOnlyList<RunTarget> targets)
    {
        foreach (RunTarget target in targets)
        {
            _roster.Add(target, orders.SessionOf(_roster.Count));
            _window.Add(target.Node);
        }
    }

    public void StartMore()
    {
        // A target that fails at once makes room for the next.
        while (_window.TakeStartable() is { Count: > 0 } startable)
        {
            foreach (int target in startable)
                Start(target);
        }
        foreach (int target in _window.TakeStopped())
            port.Tell(new RunEvent.SessionEnded(target, new SessionOutcome.Failure(_haltCode, $"Not started: {_window.Halt}.")));
        changed();
    }

    /// <summary>No more start.</summary>
    /// <param name="code">Of those that do not.</param>
    public void Halt(string why, int code = 125)
    {
        _haltCode = code;
        _window.Stop(why);
    }

    /// <summary>Ends one that runs.</summary>
    public void Abandon(int target, int code, string message)
    {
        if (!_window.IsRunning(target))
            return;
        EndOnNode(target, reason: "");
        End(target, new SessionOutcome.Failure(code, message));
    }

    /// <summary>Ends all that run, and starts no more.</summary>
    /// <param name="onNodes">Otherwise those that run go on.</param>
    public void Close(string why, bool onNodes)
    {
        foreach (int target in _window.Running.Where(_ => onNodes))
            EndOnNode(target, why);
        foreach (int target in _window.Close())
            port.Tell(new RunEvent.SessionEnded(target, new SessionOutcome.Failure(125, why)));
    }

    public void Tell(int target, IWireMessage message) => tell(_roster[target].Address, message);

    /// <summary>The time that an image takes to come does not count.</summary>
    public void On(SessionWaits waits)
    {
        if (!_roster.TryFind(waits.SessionId, waits.Ticket, out int target) || !timers.IsTimerActive(target))
            return;
        timers.StartSingleTimer(target, new StartIsLate(target), StartPatience);
        port.Tell(new RunEvent.SessionWaits(target, waits.Image, waits.Received, waits.Size));
    }

    public void On(Admitted admitted)
    {
        if (_window.IsRunning(admitted.Target))
            Tell(admitted.Target, orders.Grant(_roster[admitted.Target], admitted.Order));
    }

    public void On(NotAdmitted not) => Abandon(not.Target, 125, not.Why);

    public void On(Run.StreamBegan began) => Begin(began.Target);

    public void On(SessionRuns runs)
    {
        if (_roster.TryFind(runs.SessionId, runs.Ticket, out int target))
            Begin(target);
    }

    public void On(Run.StreamExited exited) => End(exited.Target, exited.Outcome);

    public void On(Run.StreamLost lost) => Abandon(lost.Target, 125, orders.Broke(NameOf(lost.Target)));

    public void On(Run.OutputFull full) => Abandon(
        full.Target, 125, "It wrote more than --max-bytes allows; what came before is whole, and the tool was ended.");

    public void On(Run.RecordingFailed failed) => Abandon(failed.Target, 125, failed.Why);

    /// <summary>Without a problem the exit frame of a stream is on its way.</summary>
    public void On(SessionOver over)
    {
        if (!_roster.TryFind(over.SessionId, over.Ticket, out int target))
            return;
        if (over.End is { } end)
            End(target, end.Failure.Length > 0 ? new SessionOutcome.Failure(end.ExitCode, end.Failure) : new SessionOutcome.Exited(end.ExitCode, end.Why));
        else if (over.Problem.Length > 0)
            End(target, new SessionOutcome.Failure(125, over.Problem));
    }

    public void On(StartIsLate late) => Abandon(late.Target, 125, orders.Late(NameOf(late.Target), StartPatience));

    public void On(SessionIsLate late) => Abandon(late.Target, 124, $"Timed out after {Timeout!.Value.TotalSeconds:0.###} s; the tool was ended.");

    public void OnNodeUp(Member member) => _lost.Remove(member.Address);

    public void OnNodeLost(Member member)
    {
        _lost.Add(member.Address);
        foreach (int target in Running.Where(target => _roster[target].Address.Equals(member.Address)))
            Abandon(target, 125, orders.Lost(NameOf(target)));
    }

    private void Start(int target)
    {
        string? obstacle = _lost.Contains(_roster[target].Address)
            ? $"Node {NameOf(target)} was lost before the session began. Run it again when the node is back."
            : orders.Obstacle(_roster[target]);
        if (obstacle is not null)
        {
            _window.Finish(target, failed: true);
            port.Tell(new RunEvent.SessionEnded(target, new SessionOutcome.Failure(125, obstacle)));
            return;
        }
        StreamTicket ticket = orders.AreStreamed ? port.Open(target, NameOf(target)) : new StreamTicket("", ByteString.CopyFrom(RandomNumberGenerator.GetBytes(32)));
        _roster.Trust(target, ticket.Secret);
        timers.StartSingleTimer(target, new StartIsLate(target), StartPatience);
        IWireMessage order = orders.Begin(target, _roster[target], _roster.Count, ticket);
        if (order is StartSession start)
            port.AdmitAsync(target, _roster[target], start).PipeTo(self, success: () => new Admitted(target, start), failure: e => new NotAdmitted(target, e.Message));
        else
            Tell(target, order);
    }

    private void Begin(int target)
    {
        if (!_window.IsRunning(target))
            return;
        timers.Cancel(target);
        if (Timeout is { } timeout)
            timers.StartSingleTimer(target, new SessionIsLate(target), timeout);
        port.Tell(new RunEvent.SessionStarted(target, orders.SessionOf(target)));
    }

    private void End(int target, SessionOutcome outcome)
    {
        if (!_window.Finish(target, failed: outcome is not SessionOutcome.Exited { Code: 0 }))
            return;
        timers.Cancel(target);
        port.Close(target);
        port.Tell(new RunEvent.SessionEnded(target, outcome));
        StartMore();
    }

    private void EndOnNode(int target, string reason)
    {
        port.Close(target);
        if (orders.End(target, reason) is { } end)
            Tell(target, end);
    }

    private string NameOf(int target) => _roster[target].Node;
}
