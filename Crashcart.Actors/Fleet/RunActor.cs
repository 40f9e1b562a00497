using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one run: finds its targets, has their sessions started, and tells the client how it goes.
/// Resolving → Running → stopped; Resolving → Asking → Running, when the client wants to see the targets first.
/// Whatever stops it, every session that it started is ended, but those that are kept: then only somebody's wish ends them.
/// </summary>
internal sealed class RunActor : CourseActor
{
    /// <summary>From the kill to the last end that nodes tell.</summary>
    private static readonly TimeSpan KillPatience = TimeSpan.FromSeconds(5);

    /// <summary>From one look for new containers to the next.</summary>
    private static readonly TimeSpan FollowInterval = TimeSpan.FromSeconds(1);

    private readonly RunPlan _plan;
    private readonly IRunPort _port;
    private readonly IActorRef _fleet;
    private readonly ToolOrders _orders;
    private string _why = "The coordinator ended the run.";
    private bool _isWished;
    private bool _isOver;

    public RunActor(RunPlan plan, IRunPort port, IActorRef fleet)
    {
        _plan = plan;
        _port = plan.Keep is null ? port : new DetachedPort(plan.Id, port, Context.GetLogger());
        _fleet = fleet;
        IUntypedActorContext context = Context;
        _orders = new ToolOrders(plan, () => context.System.Scheduler.Now);
        Sessions = new RunSessions(
            _orders, plan.FanOut, _port, Self, Timers, (node, message) => context.ActorSelection(GatherActor.NodePath(node)).Tell(message), OnChanged)
        {
            Timeout = plan.Keep is null ? plan.Timeout : null,
        };
        fleet.Tell(FleetQuery.ListContainers.For(plan.Targets, plan.Access));
        Become(Resolving);
    }

    protected override RunSessions Sessions { get; }

    public static Props Props(RunPlan plan, IRunPort port, IActorRef fleet) =>
        Akka.Actor.Props.Create(() => new RunActor(plan, port, fleet));

    protected override void PostStop()
    {
        base.PostStop();
        if (_isOver)
            return;
        Sessions.Close(_why, onNodes: _plan.Keep is null || _isWished);
        _port.Tell(new RunEvent.Ended());
    }

    private void Resolving()
    {
        Receive<FleetQuery.Containers>(found => OnFound(found, OnResolved));
        Receive<ImageFound>(found => OnImageFound(found, OnResolved));
        Receive<Run.Signal>(signal => LinuxSignal.IsWishToEnd(signal.Number), _ => Context.Stop(Self));
        Receive<Run.ClientLeft>(_ => Context.Stop(Self));
        Receive<Run.Cancel>(OnCancel);
        ReceiveMembers();
    }

    private void Asking()
    {
        Receive<Run.Begin>(_ => Start());
        Receive<Run.Signal>(signal => LinuxSignal.IsWishToEnd(signal.Number), _ => Context.Stop(Self));
        Receive<Run.ClientLeft>(_ => Context.Stop(Self));
        Receive<Run.Cancel>(OnCancel);
        ReceiveMembers();
    }

    private void Running()
    {
        ReceiveSessions();
        Receive<Run.Signal>(_ => _plan.Keep is null, OnSignal);
        // It goes on without whoever sent it.
        Receive<Run.Signal>(_ => { });
        Receive<Run.ClientLeft>(_ => _plan.Keep is null, _ => Context.Stop(Self));
        Receive<Run.ClientLeft>(_ => { });
        Receive<RunIsLate>(_ => OnRunIsLate());
        Receive<KillIsLate>(_ => Context.Stop(Self));
        Receive<LookAgain>(_ => _fleet.Tell(FleetQuery.ListContainers.For(_plan.Targets, _plan.Access)));
        Receive<FleetQuery.Containers>(found => OnFound(found, OnLooked));
        Receive<ImageFound>(found => OnImageFound(found, OnLooked));
        Receive<Run.Begin>(_ => { });
        Receive<Run.Cancel>(OnCancel);
        ReceiveMembers();
    }

    private void OnCancel(Run.Cancel cancel)
    {
        _why = cancel.Why;
        _isWished = true;
        Context.Stop(Self);
    }

    private void OnFound(FleetQuery.Containers found, Action<FleetQuery.Containers> then)
    {
        if (_orders.Image is null && found.All.Any(target => target.LacksImage))
            _port.DefaultImageAsync().PipeTo(
                Self, success: image => new ImageFound(image, found), failure: _ => new ImageFound(null, found));
        else
            then(found);
    }

    private void OnImageFound(ImageFound found, Action<FleetQuery.Containers> then)
    {
        _orders.Image = found.Image;
        then(found.Containers);
    }

    private void OnResolved(FleetQuery.Containers found)
    {
        if (!_plan.TryChoose(found, out IReadOnlyList<RunTarget> targets, out RunEvent.Rejected? rejection))
        {
            Finish(rejection);
            return;
        }
        if (_plan.Keep is not null && targets.FirstOrDefault(target => _plan.Access.Recording(target) != Recorded.Nothing) is { } recorded)
        {
            Finish(new RunEvent.Rejected(
                NotFound: false,
                $"The policy has what goes on in {recorded.Node}/{recorded.Container.Name} recorded, and the output of a detached run stays on its nodes: run it without --detach."));
            return;
        }
        Sessions.Add(targets);
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
        _orders.Began = Context.System.Scheduler.Now;
        if (_plan.Deadline is { } deadline)
            After(deadline, new RunIsLate());
        if (_plan.Mode == RunMode.Follow)
            After(FollowInterval, new LookAgain());
        // It goes on without its client.
        if (_plan.Keep is not null)
            _port.Tell(new RunEvent.Ended());
        Sessions.StartMore();
    }

    private void OnLooked(FleetQuery.Containers found)
    {
        if (!IsFollowing)
            return;
        After(FollowInterval, new LookAgain());
        List<RunTarget> joined = [.. found.All.Where(target => !Sessions.Has(target))];
        if (joined.Count == 0)
            return;
        Sessions.Add(joined);
        _port.Tell(new RunEvent.Joined(joined));
        Sessions.StartMore();
    }

    private bool IsFollowing => _plan.Mode == RunMode.Follow && !Sessions.IsHalted;

    private void OnChanged()
    {
        Context.Parent.Tell(new RunsActor.Changed(Sessions.Describe(_plan, _orders.Began)));
        if (Sessions.AreOver && !IsFollowing)
            Finish(new RunEvent.Ended());
    }

    private void Finish(RunEvent last)
    {
        _isOver = true;
        _port.Tell(last);
        Context.Stop(Self);
    }

    private void OnRunIsLate()
    {
        string passed = $"the run's deadline of {_plan.Deadline!.Value.TotalSeconds:0.###} s has passed";
        Sessions.Halt(passed, 124);
        // Those that are kept are ended by their nodes, which say why.
        foreach (int target in Sessions.Running.Where(_ => _plan.Keep is null))
            Sessions.Abandon(target, 124, $"Ended: {passed}.");
        Sessions.StartMore();
    }

    private void OnSignal(Run.Signal signal)
    {
        foreach (int target in Sessions.Running)
        {
            string session = _plan.Id.Session(target).Value;
            Sessions.Tell(target, signal.Number == LinuxSignal.Kill
                ? new EndSession { SessionId = session, Kill = true }
                : new SignalSession { SessionId = session, Signal = signal.Number });
        }
        if (!LinuxSignal.IsWishToEnd(signal.Number))
            return;
        if (signal.Number == LinuxSignal.Kill)
            After(KillPatience, new KillIsLate());
        Sessions.Halt("the run was interrupted");
        Sessions.StartMore();
    }

    private sealed record ImageFound(WantedImage? Image, FleetQuery.Containers Containers) : INoSerializationVerificationNeeded;

    private sealed record RunIsLate : INoSerializationVerificationNeeded;

    private sealed record KillIsLate : INoSerializationVerificationNeeded;

    private sealed record LookAgain : INoSerializationVerificationNeeded;
}
