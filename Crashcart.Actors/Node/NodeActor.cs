using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Reconciliation;
using Crashcart.Actors.Node.Sessions;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node;

/// <summary>
/// Owns the actors of a node, describes it, and leads each request to the one that it concerns. When one of them stops, all
/// start anew: none can do without the others, and the kernel's state can be read again.
/// </summary>
public sealed class NodeActor : ReceiveActor
{
    /// <summary>The actor's name at the top of its system.</summary>
    public const string Name = "node";

    private const string Draining = "draining";

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly NodeDescribed _description;
    private readonly ICordon _cordon;
    private readonly TimeSpan _linger;
    private readonly IGrants? _grants;
    private readonly IActorRef _images;
    private readonly IActorRef _sessions;
    private readonly IActorRef _leases;
    private (int Sessions, int People) _mounts;

    public NodeActor(NodeFacts facts, NodePorts ports, ICordon cordon)
    {
        _cordon = cordon;
        _linger = facts.Linger;
        _grants = ports.Grants;
        _description = new NodeDescribed
        {
            Node = facts.Name,
            Version = facts.Version,
            Kernel = facts.Kernel,
            Architecture = facts.Architecture,
        };
        var containers = Child(ContainersActor.Props(facts.Name, ports), "containers");
        _images = Child(ImagesActor.Props(ports, facts.Linger), "images");
        var mounts = Child(MountsActor.Props(ports, _images), "mounts");
        var neighbours = new SessionNeighbours(containers, _images, mounts);
        _sessions = Child(SessionsActor.Props(ports, neighbours, SessionPatience.Default, facts.MaxSessions), "sessions");
        _leases = Child(LeasesActor.Props(ports, neighbours), "leases");
        var reconciler = Child(ReconcilerActor.Props(ports.Host, new ReconcilerActor.Neighbours(containers, _sessions, _leases)), "reconciler");
        var records = Child(RunRecordsActor.Props(facts.Name, ports), "runs");
        TellCordon();

        Receive<DescribeNode>(OnDescribe);
        Receive<FindContainers>(find =>
        {
            containers.Forward(find);
            _images.Tell(OwnImageActor.Look.Instance);
        });
        Receive<IndexContainers>(containers.Forward);
        Receive<DropImage>(_images.Forward);
        Receive<Granted>(OnGranted);
        Receive<StartSession>(TakeUnlessGrantsAreNeeded);
        Receive<EndSession>(_sessions.Forward);
        Receive<SignalSession>(_sessions.Forward);
        Receive<Drain>(drain =>
        {
            _description.Duty = Draining;
            TellCordon();
            _sessions.Tell(drain with { Why = $"Node {_description.Node} is stopping." }, Sender);
        });
        Receive<MountImage>(TakeUnlessGrantsAreNeeded);
        Receive<UnmountImage>(TakeUnlessGrantsAreNeeded);
        Receive<FindLeases>(reconciler.Forward);
        Receive<FindKeptRuns>(records.Forward);
        Receive<ReplaySession>(records.Forward);
        Receive<RemoveRun>(records.Forward);
        Receive<FindAudit>(find => OnFindAudit(find, ports.Audit));
        Receive<CordonNode>(OnCordon);
        Receive<Cordoned>(OnCordoned);
        Receive<ContainersActor.Counted>(OnCounted);
        Receive<ContainersActor.Ended>(_images.Forward);
        Receive<MountsActor.Counted>(counted => _description.Mounts = Mounts(counted.Mounts, _mounts.People));
        Receive<LeasesActor.Counted>(counted => _description.Mounts = Mounts(_mounts.Sessions, counted.Leases));
        Receive<ReconcilerActor.Counted>(counted => (_description.Adopted, _description.Reclaimed) = (counted.Adopted, counted.Reclaimed));
        Receive<SessionsActor.Counted>(counted => _description.Sessions = counted.Sessions);
        Receive<ImagesActor.Identified>(_leases.Forward);
        Receive<OwnImageActor.Known>(known => OnImageKnown(known, containers, mounts));
        Receive<Terminated>(gone => throw new InvalidOperationException($"The node's actor {gone.ActorRef.Path.Name} stopped."));
    }

    /// <summary>
    /// End all sessions and take no more; the answer is <see cref="Drained"/>. Told again, it changes the time and is not
    /// answered.
    /// </summary>
    /// <param name="Grace">How long a tool may take that was asked to end; then it is killed.</param>
    /// <param name="Why">For those whose sessions end.</param>
    public sealed record Drain(TimeSpan Grace, string Why = "") : ILocalMessage;

    /// <summary>No session is left on the node.</summary>
    public sealed record Drained : ILocalMessage;

    public static Props Props(NodeFacts facts, NodePorts ports, ICordon cordon) =>
        Akka.Actor.Props.Create(() => new NodeActor(facts, ports, cordon));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    private static IActorRef Child(Props props, string name) => Context.Watch(Context.ActorOf(props, name));

    private void OnDescribe(DescribeNode describe)
    {
        var answer = _description.Clone();
        answer.CorrelationId = describe.CorrelationId;
        _images.Tell(new ImagesActor.Describe(answer, Sender));
    }

    private int Mounts(int sessions, int people)
    {
        _mounts = (sessions, people);
        return sessions + people;
    }

    private void OnGranted(Granted granted)
    {
        var opened = _grants?.Open(granted) ?? new OpenedGrant(null, "This node's fleet has no authority, and nobody who could grant anything.");
        if (opened is { Problem: "", Request: { } request })
            Take(request);
        else
            Refuse(opened.Request, opened.Problem);
    }

    private void TakeUnlessGrantsAreNeeded(IWireMessage request)
    {
        if (_grants is null)
            Take(request);
        else
            Refuse(request, $"Node {_description.Node} does nothing that no coordinator has granted.");
    }

    private void Take(IWireMessage request)
    {
        if (request is MountImage && Refusal("mounts") is { Length: > 0 } refusal)
            Sender.Tell(Answer(request, refusal));
        else
            (request is StartSession ? _sessions : _leases).Forward(request);
    }

    private void Refuse(IWireMessage? request, string problem)
    {
        _log.Warning("Did not take what {0} sent: {1}", Sender.Path, problem);
        if (request is not null)
            Sender.Tell(Answer(request, problem));
    }

    private static IWireMessage Answer(IWireMessage request, string problem) => request switch
    {
        StartSession start => new SessionOver { SessionId = start.SessionId, Ticket = start.Ticket, Problem = problem },
        MountImage mount => new ImageMounted { CorrelationId = mount.CorrelationId, Problem = problem },
        UnmountImage unmount => new ImageUnmounted { CorrelationId = unmount.CorrelationId, Problem = problem },
        _ => throw new ArgumentOutOfRangeException(nameof(request)),
    };

    private void OnFindAudit(FindAudit find, IAuditLines audit) => audit.FindAsync(find).PipeTo(
        Sender,
        Self,
        success: lines => new AuditFound { CorrelationId = find.CorrelationId, Node = _description.Node, Lines = { lines } },
        failure: e => new AuditFound { CorrelationId = find.CorrelationId, Node = _description.Node, Problem = NodeException.Describe(e).Message });

    private void OnCordon(CordonNode cordon)
    {
        var asker = Sender;
        _cordon.SetAsync(cordon.Cordoned).PipeTo(
            Self, success: () => new Cordoned(cordon, asker, ""), failure: e => new Cordoned(cordon, asker, NodeException.Describe(e).Message));
    }

    private void OnCordoned(Cordoned done)
    {
        TellCordon();
        if (done.Problem.Length == 0)
        {
            _log.Info(done.Asked.Cordoned ? "Cordoned: no new sessions and mounts" : "Uncordoned: sessions and mounts are welcome");
            if (done.Asked.Drain)
                _sessions.Tell(new SessionsActor.EndAll(
                    TimeSpan.FromMilliseconds(done.Asked.GracePeriodMs), $"Node {_description.Node} is being drained."));
        }

        done.Asker.Tell(new NodeCordoned { CorrelationId = done.Asked.CorrelationId, Node = _description.Node, Problem = done.Problem });
    }

    private void TellCordon()
    {
        if (_description.Duty != Draining)
            _description.Duty = _cordon.IsSet ? "cordoned" : "";
        // Where no session begins, there is nothing to stay attached for.
        _images.Tell(new LoopDeviceActor.Linger(_description.Duty.Length > 0 ? TimeSpan.Zero : _linger));
        _sessions.Tell(new SessionsActor.Refuse(Refusal("sessions")));
    }

    /// <summary>Why the node takes none of that; empty: it does.</summary>
    private string Refusal(string what) => _description.Duty switch
    {
        "" => "",
        Draining => $"Node {_description.Node} is stopping and takes no {what}.",
        _ => $"Node {_description.Node} is cordoned and takes no {what}; 'crashcart uncordon {_description.Node}' changes that.",
    };

    private void OnCounted(ContainersActor.Counted counted)
    {
        _description.Containers = counted.Containers;
        _description.Runtimes.Clear();
        _description.Runtimes.Add(counted.Runtimes);
    }

    private void OnImageKnown(OwnImageActor.Known image, IActorRef containers, IActorRef mounts)
    {
        containers.Tell(image);
        mounts.Tell(image);
        _description.ImageDigests.Clear();
        if (image.Digest.Length > 0)
            _description.ImageDigests.Add(image.Digest);
    }

    /// <summary>What was asked is done, or could not be.</summary>
    private sealed record Cordoned(CordonNode Asked, IActorRef Asker, string Problem) : ILocalMessage;
}
