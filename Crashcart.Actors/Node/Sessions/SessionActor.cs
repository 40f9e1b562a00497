using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Sessions;

/// <summary>
/// Owns one tool in one container, and everything that it needs.
/// Dialling → Locating → Leasing → Starting → Running → Releasing;
/// Running → Ending, when it is ended from outside; Running, Ending → Orphaned, when its stream breaks; before that → Refusing
/// </summary>
internal sealed class SessionActor : ReceiveActor, IWithTimers
{
    private const int HangUp = 1;
    private const int Terminate = 15;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ReleaseStack _owned = new();
    private readonly SessionRequest _request;
    private readonly NodePorts _ports;
    private readonly SessionNeighbours _node;
    private readonly SessionPatience _patience;

    public SessionActor(SessionRequest request, NodePorts ports, SessionNeighbours node, SessionPatience patience)
    {
        _request = request;
        _ports = ports;
        _node = node;
        _patience = patience;
        Dialling();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The node's own wish. The tool is asked at once, and killed after that time; told again, the time is another.</summary>
    /// <param name="Why">One sentence for whoever the session belongs to.</param>
    public sealed record EndWithin(TimeSpan Grace, string Why) : ILocalMessage;

    public static Props Props(SessionRequest request, NodePorts ports, SessionNeighbours node, SessionPatience patience) =>
        Akka.Actor.Props.Create(() => new SessionActor(request, ports, node, patience));

    protected override void PreStart()
    {
        if (!_request.IsKept)
            Context.Watch(_request.Requester);
        After(_patience.Start, new SessionStep.StartIsLate());
        _request.Requester.Tell(new SessionAccepted { SessionId = _request.Id });
        _owned.Own(c => _request.IsKept
                ? _ports.Records.OpenAsync(_request.Start, c)
                : _ports.Streams.DialAsync(_request.Start.StreamEndpoint, _request.Start.Ticket.Memory, c))
            .PipeTo(Self, success: call => new SessionStep.Dialled(call), failure: e => new SessionStep.StreamLost(e.Message));
    }

    // After a regular end there is nothing left; this is for the end of the actor system.
    protected override void PostStop() => _ = _owned.ReleaseAsync();

    private void Dialling()
    {
        Receive<SessionStep.Dialled>(dialled =>
        {
            _node.Containers.Tell(new ContainersActor.Locate(new ContainerId(_request.Start.ContainerId)));
            Become(() => Locating(dialled.Call));
        });
        Receive<SessionStep.StreamLost>(lost => Release(lost.Problem));
        Receive<SessionStep.StartIsLate>(_ => Release(
            _request.IsKept ? "The node could not begin its record in time." : $"The node could not dial {_request.Start.StreamEndpoint} in time."));
        Receive<SignalSession>(IsWishToEnd, _ => Release("It was ended before it began."));
        ReceiveEnd((_, why) => Release(why.Length > 0 ? why : "It was ended before it began."));
    }

    private void Locating(ISessionCall call)
    {
        Receive<ContainersActor.Located>(located =>
        {
            if (ChosenLabels.Refusal(_request.Start.Chosen, located.Container) is { Length: > 0 } refusal)
                Refuse(call, refusal);
            else
                Open(located.Container);
        });
        Receive<ContainersActor.Missing>(missing => Refuse(call, $"Container {missing.Id} does not run on this node any more."));
        Receive<SessionStep.Opened>(opened => Acquire(call, opened));
        ReceiveRefusals(call);
    }

    private void Leasing(ISessionCall call, SessionStep.Opened opened)
    {
        Receive<Lease.Granted>(granted => StartTool(call, opened, granted.Image));
        Receive<Lease.Awaited>(OnAwaited);
        Receive<Lease.Refused>(refused => Refuse(call, refused.Failure));
        ReceiveRefusals(call);
    }

    private void Starting(ISessionCall call)
    {
        Receive<SessionStep.Started>(started => Carry(call, started.Tool));
        ReceiveRefusals(call);
    }

    private void Running(ISessionCall call, ITool tool)
    {
        Receive<SessionStep.Carried>(_ => Release(""));
        Receive<SessionStep.StreamLost>(lost => Orphan(tool, lost.Problem));
        Receive<SessionStep.ContainerExited>(_ => End(tool, TimeSpan.Zero));
        Receive<SessionStep.TimeIsOver>(over =>
        {
            call.EndAs(over.Failure);
            End(tool, _patience.Grace);
        });
        Receive<SignalSession>(signal => tool.Signal(signal.Signal));
        ReceiveEnd((grace, why) =>
        {
            if (why.Length > 0)
            {
                _log.Info("Session {0} is ended: {1}", _request.Id, why);
                call.SayWhy(why);
            }

            End(tool, grace);
        });
    }

    private void Ending(ITool tool)
    {
        Receive<SessionStep.Carried>(_ => Release(""));
        Receive<SessionStep.StreamLost>(lost => Orphan(tool, lost.Problem));
        Receive<EndWithin>(end => After(end.Grace, new SessionStep.GraceOver()));
        Receive<EndSession>(end => end.Kill, _ => After(TimeSpan.Zero, new SessionStep.GraceOver()));
        Receive<SignalSession>(signal => tool.Signal(signal.Signal));
        Receive<SessionStep.GraceOver>(_ =>
        {
            tool.Kill();
            After(_patience.Drain, new SessionStep.DrainOver());
        });
        Receive<SessionStep.DrainOver>(_ => Release("Its last output was not read in time."));
    }

    private void Orphaned(string problem)
    {
        Receive<SessionStep.ToolExited>(_ => Release(problem));
        Receive<SessionStep.GraceOver>(_ => Release(problem));
    }

    private void Refusing()
    {
        Receive<SessionStep.RefusalTold>(_ => Release(""));
        Receive<SessionStep.StreamLost>(lost => Release(lost.Problem));
        Receive<SessionStep.DrainOver>(_ => Release("The reason why it did not begin was not read in time."));
    }

    private void Releasing(string problem) => Receive<SessionStep.Released>(released =>
    {
        if (released.Problem is { } left)
            _log.Error(left, "Session {0} could not release everything", _request.Id);
        _log.Info("Session {0} is over{1}", _request.Id, problem.Length > 0 ? ": " + problem : "");
        _request.Requester.Tell(new SessionOver
        {
            SessionId = _request.Id,
            Problem = problem,
            Ticket = _request.Start.Ticket,
            End = _request.IsKept ? _ports.Records.EndOf(new SessionId(_request.Id)) : null,
        });
        Context.Stop(Self);
    });

    private void Open(Container container) =>
        _owned.Own(cancellation => _ports.Targets.OpenAsync(container.Id, container.Pid, cancellation))
            .PipeTo(Self, success: target => new SessionStep.Opened(container, target), failure: e => new SessionStep.NotStarted(NodeException.Describe(e)));

    private void Acquire(ISessionCall call, SessionStep.Opened opened)
    {
        opened.Target.Exited.PipeTo(Self, success: () => new SessionStep.ContainerExited());
        if (_request.Start.Tool.Shared)
            _node.Mounts.Tell(new MountsActor.Acquire(opened.Container, _request.Start.Image));
        else
            _node.Images.Tell(new ImagesActor.Acquire(_request.Start.Image));
        Become(() => Leasing(call, opened));
    }

    // The time that the image takes to come does not count.
    private void OnAwaited(Lease.Awaited awaited)
    {
        After(_patience.Start, new SessionStep.StartIsLate());
        _request.Requester.Tell(new SessionWaits
        {
            SessionId = _request.Id,
            Image = awaited.Image,
            Received = awaited.Received,
            Size = awaited.Size,
            Ticket = _request.Start.Ticket,
        });
    }

    private void StartTool(ISessionCall call, SessionStep.Opened opened, IAttachedImage image)
    {
        // Of a shared mount the mount's owner tells it.
        if (!_request.Start.Tool.Shared)
            Lease.TellUse(Sender, opened.Container, opened.Target);
        Context.Parent.Tell(new SessionsActor.Leased(image.LoopDevice, image.ImageKey));
        var lease = new HeldLease(Sender, Self);
        _owned.Own(_ => Task.FromResult(lease));
        _owned.Own(c => _ports.Tools.StartAsync(_request.Start, opened.Target, image, c))
            .PipeTo(Self, success: tool => new SessionStep.Started(tool), failure: e => new SessionStep.NotStarted(NodeException.Describe(e)));
        Become(() => Starting(call));
    }

    private void Carry(ISessionCall call, ITool tool)
    {
        _log.Info("Session {0}: {1} runs in container {2}", _request.Id, _request.ToolName, _request.Start.ContainerId);
        Timers.CancelAll();
        if (_request.Start.Keep is { } keep)
        {
            _request.Requester.Tell(new SessionRuns { SessionId = _request.Id, Ticket = _request.Start.Ticket });
            LimitTime(keep);
        }

        call.CarryAsync(tool).PipeTo(Self, success: () => new SessionStep.Carried(), failure: e => new SessionStep.StreamLost(e.Message));
        Become(() => Running(call, tool));
    }

    // Here, for whoever asked for the session may be gone.
    private void LimitTime(KeepOrder keep)
    {
        if (keep.TimeoutMs > 0 && (keep.DeadlineMs == 0 || keep.TimeoutMs <= keep.DeadlineMs))
            EndAfter(keep.TimeoutMs, $"Timed out after {keep.TimeoutMs / 1000.0:0.###} s; the tool was ended.");
        else if (keep.DeadlineMs > 0)
            EndAfter(keep.DeadlineMs, "Ended: the run's deadline has passed.");
    }

    private void EndAfter(long milliseconds, string sentence) => After(
        TimeSpan.FromMilliseconds(milliseconds),
        new SessionStep.TimeIsOver(NodeException.Describe(new NodeException(NodeFailure.TimedOut, sentence))));

    private void End(ITool tool, TimeSpan grace)
    {
        Context.Unwatch(_request.Requester);
        Ask(tool, grace);
        Become(() => Ending(tool));
    }

    private void Orphan(ITool tool, string problem)
    {
        Context.Unwatch(_request.Requester);
        Ask(tool, _patience.OrphanGrace);
        tool.Exited.PipeTo(Self, success: _ => new SessionStep.ToolExited(), failure: _ => new SessionStep.ToolExited());
        Become(() => Orphaned(problem));
    }

    private void Ask(ITool tool, TimeSpan grace)
    {
        Timers.CancelAll();
        After(grace, new SessionStep.GraceOver());
        tool.Signal(HangUp);
        tool.Signal(Terminate);
    }

    private void Refuse(ISessionCall call, string sentence) =>
        Refuse(call, NodeException.Describe(new NodeException(NodeFailure.TargetGone, sentence)));

    private void Refuse(ISessionCall call, SessionFailure failure)
    {
        _log.Info("Session {0}: {1} did not begin: {2}", _request.Id, _request.ToolName, failure.Message);
        Context.Unwatch(_request.Requester);
        Timers.CancelAll();
        After(_patience.Drain, new SessionStep.DrainOver());
        call.FailAsync(failure).PipeTo(Self, success: () => new SessionStep.RefusalTold(), failure: e => new SessionStep.StreamLost(e.Message));
        Become(Refusing);
    }

    // Every road to the end comes here, and only here is anything released.
    private void Release(string problem)
    {
        Context.Unwatch(_request.Requester);
        Timers.CancelAll();
        _owned.ReleaseAsync().PipeTo(Self, success: () => new SessionStep.Released(null), failure: e => new SessionStep.Released(e));
        Become(() => Releasing(problem));
    }

    private void After(TimeSpan delay, object step) => Timers.StartSingleTimer(step.GetType(), step, delay);

    private void ReceiveRefusals(ISessionCall call)
    {
        Receive<SessionStep.NotStarted>(not => Refuse(call, not.Failure));
        Receive<SessionStep.StartIsLate>(_ => Refuse(call, $"The tool could not be started within {_patience.Start.TotalSeconds:0} s."));
        Receive<SessionStep.ContainerExited>(_ => Refuse(call, $"Container {_request.Start.ContainerId} exited before the tool was started."));
        Receive<SignalSession>(IsWishToEnd, _ => Refuse(call, "The session was ended before the tool was started."));
        ReceiveEnd((_, why) => Refuse(call, why.Length > 0 ? why : "The session was ended before the tool was started."));
    }

    private static bool IsWishToEnd(SignalSession signal) => LinuxSignal.IsWishToEnd(signal.Signal);

    private void ReceiveEnd(Action<TimeSpan, string> end)
    {
        Receive<EndSession>(asked => end(asked.Kill ? TimeSpan.Zero : _patience.Grace, asked.Reason));
        Receive<EndWithin>(within => end(within.Grace, within.Why));
        Receive<Terminated>(_ => end(_patience.Grace, ""));
    }
}
