using System.Security.Cryptography;
using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one run: finds its targets, starts their sessions a window at a time, and tells the client how each ended.
/// Resolving → Running → stopped. Whatever stops it, every session that it started is ended.
/// </summary>
internal sealed class RunActor : ReceiveActor, IWithTimers
{
    /// <summary>From the request to the tool's start. A node gives up earlier by itself.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    private readonly RunPlan _plan;
    private readonly IRunPort _port;
    private readonly Dictionary<string, int> _sessions = [];
    private readonly Dictionary<int, ByteString> _tickets = [];
    private readonly HashSet<Address> _lost = [];
    private IReadOnlyList<RunTarget> _targets = [];
    private FanOutWindow _window = new(targets: 0, width: 0);
    private WantedImage? _image;
    private string _why = "The coordinator ended the run.";
    private bool _told;

    public RunActor(RunPlan plan, IRunPort port, IActorRef fleet)
    {
        _plan = plan;
        _port = port;
        _image = plan.Image;
        fleet.Tell(plan.Targets switch
        {
            RunTargets.Selected selected => new FleetQuery.ListContainers(selected.Selector, selected.Node),
            RunTargets.One one => new FleetQuery.ListContainers("", one.Node ?? "", one.Container),
            _ => throw new ArgumentOutOfRangeException(nameof(plan)),
        });
        Become(Resolving);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(RunPlan plan, IRunPort port, IActorRef fleet) =>
        Akka.Actor.Props.Create(() => new RunActor(plan, port, fleet));

    /// <summary>Before anything is known, so that no node is lost unnoticed between what it answered and its first session.</summary>
    protected override void PreStart() => Cluster.Get(Context.System).Subscribe(
        Self,
        ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
        typeof(ClusterEvent.MemberDowned),
        typeof(ClusterEvent.MemberRemoved),
        typeof(ClusterEvent.MemberUp));

    protected override void PostStop()
    {
        Cluster.Get(Context.System).Unsubscribe(Self);
        if (_told)
            return;
        foreach (int target in _window.Running)
            EndOnNode(target);
        foreach (int target in _window.Close())
            _port.Tell(new RunEvent.SessionEnded(target, new SessionOutcome.Failure(125, _why)));
        _port.Tell(new RunEvent.Ended());
    }

    private void Resolving()
    {
        Receive<FleetQuery.Containers>(OnFound);
        Receive<ImageFound>(found =>
        {
            _image = found.Image;
            OnResolved(found.Containers);
        });
        ReceiveMembers();
        Receive<Run.Cancel>(OnCancel);
    }

    private void Running()
    {
        Receive<Run.StreamBegan>(OnStreamBegan);
        Receive<Run.StreamExited>(exited => End(exited.Target, exited.Outcome));
        Receive<Run.StreamLost>(OnStreamLost);
        Receive<SessionAccepted>(_ => { });
        Receive<SessionWaits>(OnSessionWaits);
        Receive<SessionOver>(OnSessionOver);
        Receive<StartIsLate>(OnStartIsLate);
        Receive<SessionIsLate>(OnSessionIsLate);
        ReceiveMembers();
        Receive<Run.Cancel>(OnCancel);
    }

    private void ReceiveMembers()
    {
        Receive<ClusterEvent.MemberDowned>(downed => OnNodeLost(downed.Member));
        Receive<ClusterEvent.MemberRemoved>(removed => OnNodeLost(removed.Member));
        Receive<ClusterEvent.MemberUp>(up => _lost.Remove(up.Member.Address));
    }

    private void OnCancel(Run.Cancel cancel)
    {
        if (cancel.Why.Length > 0)
            _why = cancel.Why;
        Context.Stop(Self);
    }

    private void OnFound(FleetQuery.Containers found)
    {
        if (_image is null && found.All.Any(target => target.LacksImage))
            _port.DefaultImageAsync().PipeTo(
                Self, success: image => new ImageFound(image, found), failure: _ => new ImageFound(null, found));
        else
            OnResolved(found);
    }

    private void OnResolved(FleetQuery.Containers found)
    {
        IReadOnlyList<RunTarget> targets = found.All;
        if (_plan.Targets is RunTargets.One one && !SingleTarget.TryChoose(one, found, out targets, out RunEvent.Rejected? rejection))
        {
            Finish(rejection);
            return;
        }
        if (_plan.Tool.Stdin && _plan.Parallel > 0 && _plan.Parallel < targets.Count)
        {
            Finish(new RunEvent.Rejected(NotFound: false, InputNeedsAll(targets.Count)));
            return;
        }
        _targets = targets;
        _window = new FanOutWindow(targets.Count, _plan.Parallel);
        for (int target = 0; target < targets.Count; target++)
            _sessions[_plan.Id.Session(target).Value] = target;
        _port.Tell(new RunEvent.Started(_plan.Id, targets, found.Silent));
        Become(Running);
        StartMore();
    }

    private void StartMore()
    {
        // A target that fails at once makes room for the next.
        while (_window.TakeStartable() is { Count: > 0 } startable)
        {
            foreach (int target in startable)
                Start(target);
        }
        if (_window.IsDone)
            Finish(new RunEvent.Ended());
    }

    private void Finish(RunEvent last)
    {
        _told = true;
        _port.Tell(last);
        Context.Stop(Self);
    }

    private void Start(int target)
    {
        if (_lost.Contains(_targets[target].Address))
        {
            _window.Finish(target);
            _port.Tell(new RunEvent.SessionEnded(
                target,
                new SessionOutcome.Failure(125, $"Node {NameOf(target)} was lost before the session began. Run it again when the node is back.")));
            return;
        }
        StreamTicket ticket = _port.Open(target);
        _tickets[target] = ticket.Secret;
        NodeOf(target).Tell(new StartSession
        {
            SessionId = _plan.Id.Session(target).Value,
            RunId = _plan.Id.Value,
            ContainerId = _targets[target].Container.Id,
            Tool = _plan.Tool,
            StreamEndpoint = ticket.Endpoint,
            Ticket = ticket.Secret,
            Image = ImageSources.For(NameOf(target), _image),
        });
        Timers.StartSingleTimer(target, new StartIsLate(target), StartPatience);
    }

    /// <summary>The time that an image takes to come does not count.</summary>
    private void OnSessionWaits(SessionWaits waits)
    {
        if (!_sessions.TryGetValue(waits.SessionId, out int target) || !IsTicketOf(target, waits.Ticket) || !Timers.IsTimerActive(target))
            return;
        Timers.StartSingleTimer(target, new StartIsLate(target), StartPatience);
        _port.Tell(new RunEvent.SessionWaits(target, waits.Image, waits.Received, waits.Size));
    }

    private void OnStreamBegan(Run.StreamBegan began)
    {
        if (!_window.IsRunning(began.Target))
            return;
        Timers.Cancel(began.Target);
        if (_plan.Timeout is { } timeout)
            Timers.StartSingleTimer(began.Target, new SessionIsLate(began.Target), timeout);
        _port.Tell(new RunEvent.SessionStarted(began.Target, _plan.Id.Session(began.Target)));
    }

    private void OnStreamLost(Run.StreamLost lost) => Abandon(
        lost.Target,
        125,
        $"The connection to node {NameOf(lost.Target)} broke during the session; the node ends the tool by itself. Run it again.");

    /// <summary>Without a problem the exit frame is on its way, by the stream.</summary>
    private void OnSessionOver(SessionOver over)
    {
        if (over.Problem.Length > 0 && _sessions.TryGetValue(over.SessionId, out int target) && IsTicketOf(target, over.Ticket))
            End(target, new SessionOutcome.Failure(125, over.Problem));
    }

    /// <summary>Who sent a message says nothing: a peer may write any sender on it.</summary>
    private bool IsTicketOf(int target, ByteString ticket) =>
        _tickets.TryGetValue(target, out ByteString? given) && CryptographicOperations.FixedTimeEquals(given.Span, ticket.Span);

    private void OnStartIsLate(StartIsLate late) => Abandon(
        late.Target,
        125,
        $"Node {NameOf(late.Target)} did not start the tool within {StartPatience.TotalSeconds:0} s; its log says why.");

    private void OnSessionIsLate(SessionIsLate late) => Abandon(
        late.Target,
        124,
        $"Timed out after {_plan.Timeout!.Value.TotalSeconds:0.###} s; the tool was ended.");

    private void OnNodeLost(Member member)
    {
        _lost.Add(member.Address);
        foreach (int target in _window.Running.Where(target => _targets[target].Address.Equals(member.Address)).ToList())
            Abandon(target, 125, $"Node {NameOf(target)} was lost during the session; what ran there ends with its node's process.");
    }

    private void Abandon(int target, int code, string message)
    {
        if (!_window.IsRunning(target))
            return;
        EndOnNode(target);
        End(target, new SessionOutcome.Failure(code, message));
    }

    private void End(int target, SessionOutcome outcome)
    {
        if (!_window.Finish(target))
            return;
        Timers.Cancel(target);
        _port.Close(target);
        _port.Tell(new RunEvent.SessionEnded(target, outcome));
        StartMore();
    }

    private void EndOnNode(int target)
    {
        _port.Close(target);
        NodeOf(target).Tell(new EndSession { SessionId = _plan.Id.Session(target).Value });
    }

    private string InputNeedsAll(int targets) =>
        $"Standard input goes to all {targets} containers at the same time, but only {_plan.Parallel} may run at a time; give no input, or no limit.";

    private string NameOf(int target) => _targets[target].Node;

    private ActorSelection NodeOf(int target) => Context.ActorSelection(GatherActor.NodePath(_targets[target].Address));

    private sealed record ImageFound(WantedImage? Image, FleetQuery.Containers Containers) : INoSerializationVerificationNeeded;

    private sealed record StartIsLate(int Target) : INoSerializationVerificationNeeded;

    private sealed record SessionIsLate(int Target) : INoSerializationVerificationNeeded;
}
