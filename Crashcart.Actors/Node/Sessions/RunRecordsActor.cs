using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Sessions;

/// <summary>Owns the node's part in runs that are kept: tells of them, replays them, and lets go of what is too old.</summary>
internal sealed class RunRecordsActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan SweepInterval = TimeSpan.FromMinutes(10);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly string _node;
    private readonly NodePorts _ports;

    public RunRecordsActor(string node, NodePorts ports)
    {
        _node = node;
        _ports = ports;
        Receive<FindKeptRuns>(OnFind);
        Receive<ReplaySession>(OnReplay);
        Receive<RemoveRun>(OnRemove);
        Receive<Sweep>(_ => ports.Records.SweepAsync().PipeTo(Self, success: () => new Swept(""), failure: e => new Swept(NodeException.Describe(e).Message)));
        Receive<Swept>(swept => swept.Problem.Length > 0, swept => _log.Warning("Could not forget old runs: {0}", swept.Problem));
        Receive<Swept>(_ => { });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(string node, NodePorts ports) => Akka.Actor.Props.Create(() => new RunRecordsActor(node, ports));

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Sweep), new Sweep(), SweepInterval);
        Self.Tell(new Sweep());
    }

    protected override void PostStop() => _lifetime.End();

    private void OnFind(FindKeptRuns find) =>
        _ports.Records.FindAsync(find.RunId.Length > 0 ? new RunId(find.RunId) : null).PipeTo(
            Sender,
            Self,
            success: runs => new KeptRunsFound { CorrelationId = find.CorrelationId, Node = _node, Runs = { runs } },
            failure: e => new KeptRunsFound { CorrelationId = find.CorrelationId, Node = _node, Problem = NodeException.Describe(e).Message });

    // That it was sent is told on the stream.
    private void OnReplay(ReplaySession replay)
    {
        var asker = Sender;
        var frames = _ports.Records.ReadAsync(new SessionId(replay.SessionId), replay.Follow, replay.EndsOnly, _lifetime.Token);
        _ports.Streams.RelayAsync(replay.StreamEndpoint, replay.Ticket.Memory, frames, _lifetime.Token).PipeTo(
            asker,
            Self,
            success: () => new SessionOver { SessionId = replay.SessionId, Ticket = replay.Ticket },
            failure: e => new SessionOver { SessionId = replay.SessionId, Ticket = replay.Ticket, Problem = NodeException.Describe(e).Message });
    }

    private void OnRemove(RemoveRun remove) =>
        _ports.Records.RemoveAsync(new RunId(remove.RunId)).PipeTo(
            Sender,
            Self,
            success: () => new RunRemoved { CorrelationId = remove.CorrelationId, Node = _node },
            failure: e => new RunRemoved { CorrelationId = remove.CorrelationId, Node = _node, Problem = NodeException.Describe(e).Message });

    private sealed record Sweep : ILocalMessage;

    private sealed record Swept(string Problem) : ILocalMessage;
}
