using Akka.Actor;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one reading of a run that nodes keep: finds it and its sessions, has each sent, and looks for more while the run goes
/// on, if that is wanted. Naming → Finding → Replaying → stopped. The run itself is left alone, whatever stops this.
/// </summary>
internal sealed class ReplayActor : CourseActor
{
    /// <summary>From one look for new sessions to the next.</summary>
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(1);

    private readonly ReplayPlan _plan;
    private readonly IRunPort _port;
    private readonly IActorRef _fleet;
    private readonly ReplayOrders _orders;
    private bool _mayCome;
    private int _targets;
    private bool _isOver;

    public ReplayActor(ReplayPlan plan, IRunPort port, IActorRef fleet)
    {
        _plan = plan;
        _port = port;
        _fleet = fleet;
        _orders = new ReplayOrders(plan);
        IUntypedActorContext context = Context;
        Sessions = new RunSessions(
            _orders, FanOut.AllAtOnce, port, Self, Timers, (node, message) => context.ActorSelection(GatherActor.NodePath(node)).Tell(message), OnChanged);
        fleet.Tell(new RunQuery.List(plan.Run) { Access = plan.Access });
        Become(Naming);
    }

    protected override RunSessions Sessions { get; }

    public static Props Props(ReplayPlan plan, IRunPort port, IActorRef fleet) =>
        Akka.Actor.Props.Create(() => new ReplayActor(plan, port, fleet));

    protected override void PostStop()
    {
        base.PostStop();
        if (_isOver)
            return;
        Sessions.Close("The coordinator stopped.", onNodes: true);
        _port.Tell(new RunEvent.Ended());
    }

    private void Naming()
    {
        Receive<RunQuery.Found>(found =>
        {
            if (!RunFacts.TryChoose(found, _plan.Run, out RunFacts? run, out RunQuery.Rejected? rejection))
                Finish(new RunEvent.Rejected(rejection.NotFound, rejection.Message));
            else if (!run.IsKept)
                Finish(new RunEvent.Rejected(NotFound: false, $"{run.Id} is not kept: its output goes to whoever started it; --detach keeps it."));
            else
            {
                Find(run);
                Become(() => Finding(run.Id));
            }
        });
        ReceiveAlways();
    }

    private void Finding(RunId run)
    {
        Receive<RunQuery.NodesSaid>(nodes =>
        {
            List<RunTarget> targets = TakeNew(nodes);
            Become(() => Replaying(run));
            _port.Tell(new RunEvent.Started(run, targets, nodes.Silent, targets.Count));
            Sessions.StartMore();
        });
        ReceiveAlways();
    }

    private void Replaying(RunId run)
    {
        ReceiveSessions();
        Receive<LookAgain>(_ => _fleet.Tell(new RunQuery.List(run.Value)));
        Receive<RunQuery.Found>(found => OnLooked(run, found));
        Receive<RunQuery.NodesSaid>(nodes =>
        {
            List<RunTarget> targets = TakeNew(nodes);
            if (targets.Count > 0)
                _port.Tell(new RunEvent.Joined(targets));
            Sessions.StartMore();
        });
        ReceiveAlways();
    }

    private void ReceiveAlways()
    {
        Receive<Run.ClientLeft>(_ => Context.Stop(Self));
        Receive<Run.Begin>(_ => { });
        ReceiveMembers();
    }

    /// <summary>What was begun before the answer to the first question is in the answer to the second.</summary>
    private void Find(RunFacts run)
    {
        _mayCome = _plan.Follow && run.IsLive;
        // Those that a run has not begun that goes on are not missing.
        _targets = run.IsLive ? 0 : run.Targets;
        if (_mayCome)
            After(FollowInterval, new LookAgain());
        _fleet.Tell(new RunQuery.AskNodes(id => new FindKeptRuns { CorrelationId = id, RunId = run.Id.Value }));
    }

    private void OnLooked(RunId run, RunQuery.Found found)
    {
        if (found.Runs.FirstOrDefault(one => one.Id == run) is { } still)
        {
            Find(still);
            return;
        }
        // Its coordinator is gone, and no node keeps anything of it that is not being read.
        _mayCome = false;
        OnChanged();
    }

    private List<RunTarget> TakeNew(RunQuery.NodesSaid nodes)
    {
        var found = nodes.Answers
            .SelectMany(node => ((KeptRunsFound)node.Value).Runs.SelectMany(run => run.Sessions)
                .Where(session => !Sessions.Has(new SessionId(session.SessionId)))
                .Select(session => (Node: ((KeptRunsFound)node.Value).Node, Address: node.Key, Session: session)))
            .OrderBy(kept => kept.Session.Target)
            .ToList();
        foreach (var kept in found)
            _orders.Add(kept.Session);
        List<RunTarget> targets =
        [
            .. found.Select(kept => new RunTarget(
                kept.Node, kept.Address, new ContainerDescription { Id = kept.Session.ContainerId, Name = kept.Session.Container })),
        ];
        Sessions.Add(targets);
        return targets;
    }

    private void OnChanged()
    {
        if (!Sessions.AreOver || _mayCome)
            return;
        int missing = _targets - Sessions.Count;
        Finish(new RunEvent.Ended
        {
            Missing = missing <= 0 ? [] :
            [
                new SilentNode(_plan.Run, $"Nothing is known of {missing} of its {_targets} containers: they were not begun, or their node is gone or keeps them no longer."),
            ],
        });
    }

    private void Finish(RunEvent last)
    {
        _isOver = true;
        _port.Tell(last);
        Context.Stop(Self);
    }

    private sealed record LookAgain : INoSerializationVerificationNeeded;
}
