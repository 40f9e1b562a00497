using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one run: finds its targets, starts their sessions a window at a time, and tells the client how each ended.
/// Resolving → Running → stopped; Resolving → Asking → Running, when the client wants to see the targets first.
/// Whatever stops it, every session that it started is ended.
/// </summary>
internal sealed class RunActor : ReceiveActor, IWithTimers
{
    /// <summary>From the request to the tool's start. A node gives up earlier by itself.</summary>
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);

    /// <summary>From the kill to the last end that nodes tell.</summary>
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(5);

    /// <summary>From one look for new containers to the next.</summary>
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(1);

    private readonly RunPlan _plan;
    private readonly IRunPort _port;
    private readonly IActorRef _fleet;
    private readonly RunRoster _roster;
    private readonly FanOutWindow _window;
    private readonly HashSet<Address> _lost = [];
    private WantedImage? _image;
    private string _why = "The coordinator ended the run.";
    private int _haltCode = 125;
    private bool _told;

    public RunActor(RunPlan plan, IRunPort port, IActorRef fleet)
    {
        _plan = plan;
        _port = port;
        _fleet = fleet;
        _image = plan.Image;
        _roster = new RunRoster(plan);
        _window = new FanOutWindow(plan.FanOut);
        fleet.Tell(FleetQuery.ListContainers.For(plan.Targets, plan.Access));
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
        Receive<FleetQuery.Containers>(found => OnFound(found, OnResolved));
        Receive<ImageFound>(found => OnImageFound(found, OnResolved));
        Receive<Run.Signal>(signal => LinuxSignal.IsWishToEnd(signal.Number), _ => Context.Stop(Self));
        ReceiveMembers();
    }

    private void Asking()
    {
        Receive<Run.Begin>(_ => Start());
        Receive<Run.Signal>(signal => LinuxSignal.IsWishToEnd(signal.Number), _ => Context.Stop(Self));
        ReceiveMembers();
    }

    private void Running()
    {
        Receive<Run.StreamBegan>(OnStreamBegan);
        Receive<Run.StreamExited>(exited => End(exited.Target, exited.Outcome));
        Receive<Run.StreamLost>(OnStreamLost);
        Receive<Run.OutputFull>(OnOutputFull);
        Receive<Run.Signal>(OnSignal);
        Receive<SessionAccepted>(_ => { });
        Receive<SessionWaits>(OnSessionWaits);
        Receive<SessionOver>(OnSessionOver);
        Receive<StartIsLate>(OnStartIsLate);
        Receive<SessionIsLate>(OnSessionIsLate);
        Receive<RunIsLate>(_ => OnRunIsLate());
        Receive<KillIsLate>(_ => Context.Stop(Self));
        Receive<LookAgain>(_ => _fleet.Tell(FleetQuery.ListContainers.For(_plan.Targets, _plan.Access)));
        Receive<FleetQuery.Containers>(found => OnFound(found, OnLooked));
        Receive<ImageFound>(found => OnImageFound(found, OnLooked));
        Receive<Run.Begin>(_ => { });
        ReceiveMembers();
    }

    private void ReceiveMembers()
    {
        Receive<ClusterEvent.MemberDowned>(downed => OnNodeLost(downed.Member));
        Receive<ClusterEvent.MemberRemoved>(removed => OnNodeLost(removed.Member));
        Receive<ClusterEvent.MemberUp>(up => _lost.Remove(up.Member.Address));
        Receive<Run.Cancel>(OnCancel);
    }

    private void OnCancel(Run.Cancel cancel)
    {
        if (cancel.Why.Length > 0)
            _why = cancel.Why;
        Context.Stop(Self);
    }

    private void OnFound(FleetQuery.Containers found, Action<FleetQuery.Containers> then)
    {
        if (_image is null && found.All.Any(target => target.LacksImage))
            _port.DefaultImageAsync().PipeTo(
                Self, success: image => new ImageFound(image, found), failure: _ => new ImageFound(null, found));
        else
            then(found);
    }

    private void OnImageFound(ImageFound found, Action<FleetQuery.Containers> then)
    {
        _image = found.Image;
        then(found.Containers);
    }

    private void OnResolved(FleetQuery.Containers found)
    {
        IReadOnlyList<RunTarget> targets = found.All;
        if (_plan.Targets is RunTargets.One one && !SingleTarget.TryChoose(one, found, out targets, out RunEvent.Rejected? rejection))
        {
            Finish(rejection);
            return;
        }
        if (_plan.Targets is RunTargets.Selected selected)
            targets = selected.Choose(found.All);
        if (_plan.Tool.Stdin && _plan.FanOut.IsStaggered(targets.Count))
        {
            Finish(new RunEvent.Rejected(NotFound: false, InputNeedsAll(targets.Count)));
            return;
        }
        Add(targets);
        _port.Tell(new RunEvent.Started(_plan.Id, targets, found.Silent, Math.Max(targets.Count, found.All.Count)));
        if (_plan.Mode == RunMode.DryRun)
            Finish(new RunEvent.Ended());
        else if (_plan.Asks && targets.Count > 0)
            Become(Asking);
        else
            Start();
    }

    private void Start()
    {
        Become(Running);
        if (_plan.Deadline is { } deadline)
            After(deadline, new RunIsLate());
        if (_plan.Mode == RunMode.Follow)
            After(FollowInterval, new LookAgain());
        StartMore();
    }

    private void OnLooked(FleetQuery.Containers found)
    {
        if (!IsFollowing)
            return;
        After(FollowInterval, new LookAgain());
        List<RunTarget> joined = [.. found.All.Where(target => !_roster.Has(target))];
        if (joined.Count == 0)
            return;
        Add(joined);
        _port.Tell(new RunEvent.Joined(joined));
        StartMore();
    }

    private bool IsFollowing => _plan.Mode == RunMode.Follow && _window.Halt.Length == 0;

    private void Add(IReadOnlyList<RunTarget> targets)
    {
        _roster.Add(targets);
        foreach (RunTarget target in targets)
            _window.Add(target.Node);
    }

    private void StartMore()
    {
        // A target that fails at once makes room for the next.
        while (_window.TakeStartable() is { Count: > 0 } startable)
        {
            foreach (int target in startable)
                Start(target);
        }
        foreach (int target in _window.TakeStopped())
            _port.Tell(new RunEvent.SessionEnded(target, new SessionOutcome.Failure(_haltCode, $"Not started: {_window.Halt}.")));
        if (_window.IsDone && !IsFollowing)
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
        if (_lost.Contains(_roster[target].Address))
        {
            _window.Finish(target, failed: true);
            _port.Tell(new RunEvent.SessionEnded(
                target,
                new SessionOutcome.Failure(125, $"Node {NameOf(target)} was lost before the session began. Run it again when the node is back.")));
            return;
        }
        NodeOf(target).Tell(_roster.Order(target, _port.Open(target), _image));
        Timers.StartSingleTimer(target, new StartIsLate(target), StartPatience);
    }

    /// <summary>The time that an image takes to come does not count.</summary>
    private void OnSessionWaits(SessionWaits waits)
    {
        if (!_roster.TryFind(waits.SessionId, waits.Ticket, out int target) || !Timers.IsTimerActive(target))
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

    private void OnOutputFull(Run.OutputFull full) => Abandon(
        full.Target, 125, "It wrote more than --max-bytes allows; what came before is whole, and the tool was ended.");

    /// <summary>Without a problem the exit frame is on its way, by the stream.</summary>
    private void OnSessionOver(SessionOver over)
    {
        if (over.Problem.Length > 0 && _roster.TryFind(over.SessionId, over.Ticket, out int target))
            End(target, new SessionOutcome.Failure(125, over.Problem));
    }

    private void OnStartIsLate(StartIsLate late) => Abandon(
        late.Target,
        125,
        $"Node {NameOf(late.Target)} did not start the tool within {StartPatience.TotalSeconds:0} s; its log says why.");

    private void OnSessionIsLate(SessionIsLate late) => Abandon(
        late.Target,
        124,
        $"Timed out after {_plan.Timeout!.Value.TotalSeconds:0.###} s; the tool was ended.");

    private void OnRunIsLate()
    {
        _haltCode = 124;
        string passed = $"the run's deadline of {_plan.Deadline!.Value.TotalSeconds:0.###} s has passed";
        _window.Stop(passed);
        foreach (int target in _window.Running.ToList())
            Abandon(target, 124, $"Ended: {passed}.");
        StartMore();
    }

    private void OnSignal(Run.Signal signal)
    {
        foreach (int target in _window.Running)
        {
            string session = _plan.Id.Session(target).Value;
            NodeOf(target).Tell(signal.Number == LinuxSignal.Kill
                ? new EndSession { SessionId = session, Kill = true }
                : new SignalSession { SessionId = session, Signal = signal.Number });
        }
        if (!LinuxSignal.IsWishToEnd(signal.Number))
            return;
        if (signal.Number == LinuxSignal.Kill)
            After(KillPatience, new KillIsLate());
        _window.Stop("the run was interrupted");
        StartMore();
    }

    private void OnNodeLost(Member member)
    {
        _lost.Add(member.Address);
        foreach (int target in _window.Running.Where(target => _roster[target].Address.Equals(member.Address)).ToList())
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
        if (!_window.Finish(target, failed: outcome is not SessionOutcome.Exited { Code: 0 }))
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

    private static string InputNeedsAll(int targets) =>
        $"Standard input goes to all {targets} containers at the same time, but not all may run at a time; give no input, or no limit.";

    private string NameOf(int target) => _roster[target].Node;

    private ActorSelection NodeOf(int target) => Context.ActorSelection(GatherActor.NodePath(_roster[target].Address));

    private void After(TimeSpan delay, object step) => Timers.StartSingleTimer(step.GetType(), step, delay);

    private sealed record ImageFound(WantedImage? Image, FleetQuery.Containers Containers) : INoSerializationVerificationNeeded;

    private sealed record StartIsLate(int Target) : INoSerializationVerificationNeeded;

    private sealed record SessionIsLate(int Target) : INoSerializationVerificationNeeded;

    private sealed record RunIsLate : INoSerializationVerificationNeeded;

    private sealed record KillIsLate : INoSerializationVerificationNeeded;

    private sealed record LookAgain : INoSerializationVerificationNeeded;
}
