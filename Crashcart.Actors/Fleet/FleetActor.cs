using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns a coordinator's view of the nodes, which is the cluster's membership, and starts an actor for each run.
/// Containers are never remembered: the nodes are asked each time, but for those whose index says that they have none of them.
/// </summary>
public sealed class FleetActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

    /// <summary>So that not all nodes are asked for their index at the same moment.</summary>
    private static readonly TimeSpan IndexMoment = TimeSpan.FromSeconds(1);

    /// <summary>After so many moments a node is asked again.</summary>
    private const int IndexMoments = 10;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly NodeTable _nodes = new();
    private readonly Dictionary<IActorRef, Action<GatherActor.Gathered>> _questions = [];
    private readonly IActorRef _runs;
    private int _asked;
    private int _moment;

    public FleetActor()
    {
        _runs = Context.ActorOf(RunsActor.Props(Self), "runs");
        Receive<ClusterEvent.UnreachableMember>(e => OnReachability(e.Member, false));
        Receive<ClusterEvent.ReachableMember>(e => OnReachability(e.Member, true));
        Receive<ClusterEvent.IMemberEvent>(e => OnMember(e.Member));
        Receive<GatherActor.Gathered>(OnGathered);
        Receive<NextMoment>(_ => OnNextMoment());
        Receive<ContainersIndexed>(told => _nodes.Index(Context.MemberOfSender(), told));
        Receive<FleetQuery.ListNodes>(_ => OnListNodes());
        Receive<FleetQuery.ListContainers>(OnListContainers);
        Receive<FleetQuery.Cordon>(OnCordon);
        Receive<FleetQuery.ReadAudit>(OnReadAudit);
        Receive<FleetQuery.StartRun>(start => _runs.Forward(start));
        Receive<EndRun>(end => _runs.Forward(end));
        Receive<FleetQuery.SignalRun>(signal => _runs.Forward(signal));
        Receive<FindLiveRuns>(_runs.Forward);
        Receive<RunQuery.StartReplay>(_runs.Forward);
        Receive<RunQuery.List>(list => Context.ActorOf(RunListActor.Props(list, Self, Sender)));
        Receive<RunQuery.Remove>(remove => Context.ActorOf(RunRemovalActor.Props(remove, Self, Sender)));
        Receive<RunQuery.AskNodes>(OnAskNodes);
        Receive<LeaseQuery.List>(OnListLeases);
        Receive<LeaseQuery.Change>(change => Context.ActorOf(MountChangeActor.Props(change, Self, Sender)));
        Receive<LeaseQuery.Kill>(kill => Context.ActorOf(KillActor.Props(kill, Self, Sender)));
        Receive<LeaseQuery.EndOne>(OnEnd);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props() => Akka.Actor.Props.Create(() => new FleetActor());

    protected override void PreStart()
    {
        Cluster.Get(Context.System).Subscribe(
            Self,
            ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
            typeof(ClusterEvent.IMemberEvent),
            typeof(ClusterEvent.IReachabilityEvent));
        Timers.StartPeriodicTimer(NextMoment.Instance, NextMoment.Instance, IndexMoment);
    }

    protected override void PostStop() => Cluster.Get(Context.System).Unsubscribe(Self);

    private void OnMember(Member member)
    {
        if (!member.HasRole(ClusterSettings.NodeRole))
            return;
        if (member.Status == MemberStatus.Down)
            _log.Warning("Node {0} is lost ({1})", _nodes.NameOf(member.Address), member.UniqueAddress);
        else if (member.Status == MemberStatus.Exiting)
            _log.Info("Node {0} has left ({1})", _nodes.NameOf(member.Address), member.UniqueAddress);
        _nodes.Apply(member.UniqueAddress, member.Status);
        if (member.Status != MemberStatus.Up || !_nodes.IsReachable(member.Address))
            return;
        // Its name is needed when it does not answer any more, so it is asked for while it does.
        Ask(
            [member.Address],
            id => new DescribeNode { CorrelationId = id },
            _ => _log.Info("Node {0} has joined ({1})", _nodes.NameOf(member.Address), member.UniqueAddress));
        AskForIndex(member.Address);
    }

    /// <summary>Among the first events, who is unreachable comes before who is a member.</summary>
    private void OnReachability(Member member, bool reachable)
    {
        if (!member.HasRole(ClusterSettings.NodeRole))
            return;
        _nodes.Apply(member.UniqueAddress, member.Status);
        _nodes.SetReachable(member.UniqueAddress, reachable);
        if (member.Status is MemberStatus.Down or MemberStatus.Exiting)
            return;
        if (reachable)
            _log.Info("Node {0} is reachable again ({1})", _nodes.NameOf(member.Address), member.UniqueAddress);
        else
            _log.Warning("Node {0} is unreachable ({1})", _nodes.NameOf(member.Address), member.UniqueAddress);
    }

    private void OnListNodes()
    {
        IActorRef asker = Sender;
        Ask(_nodes.Reachable, id => new DescribeNode { CorrelationId = id }, gathered => asker.Tell(Describe(gathered)));
    }

    private FleetQuery.Nodes Describe(GatherActor.Gathered gathered) => new([
        .. _nodes.All.Select(node => new NodeStatus(
            node.Name,
            node.Address,
            node.State == "up" && gathered.Answers.GetValueOrDefault(node.Address) is NodeDescribed { Duty: { Length: > 0 } duty } ? duty : node.State,
            gathered.Answers.GetValueOrDefault(node.Address) as NodeDescribed,
            gathered.Answers.ContainsKey(node.Address) ? "" : Silence(node.State))).OrderBy(node => node.Name, StringComparer.Ordinal)]);

    private static string Silence(string state) =>
        state is "up" or "leaving" ? $"The node did not answer within {AnswerPatience.TotalSeconds:0} s." : $"The node is {state}.";

    private void OnCordon(FleetQuery.Cordon cordon)
    {
        IActorRef asker = Sender;
        AskOne(
            cordon.Node,
            id => new CordonNode
            {
                CorrelationId = id,
                Cordoned = cordon.IsCordoned,
                Drain = cordon.Grace is not null,
                GracePeriodMs = (uint)(cordon.Grace ?? TimeSpan.Zero).TotalMilliseconds,
            },
            answer => asker.Tell(new FleetQuery.Cordoned(IsKnown: true, ((NodeCordoned)answer).Problem)),
            (isKnown, problem) => asker.Tell(new FleetQuery.Cordoned(isKnown, problem)));
    }

    private void OnReadAudit(FleetQuery.ReadAudit read)
    {
        IActorRef asker = Sender;
        AskOne(
            read.Node,
            id => new FindAudit(read.Question) { CorrelationId = id },
            answer => asker.Tell(new FleetQuery.AuditLines([.. ((AuditFound)answer).Lines], IsKnown: true, ((AuditFound)answer).Problem)),
            (isKnown, problem) => asker.Tell(new FleetQuery.AuditLines([], isKnown, problem)));
    }

    /// <param name="name">The node's whole name.</param>
    /// <param name="otherwise">Takes whether there is such a node, and why it has not answered.</param>
    private void AskOne(string name, Func<string, IQuestion> question, Action<IWireMessage> then, Action<bool, string> otherwise)
    {
        var named = _nodes.All.Where(node => node.Name == name).ToList();
        if (named.FirstOrDefault(node => _nodes.IsReachable(node.Address)) is not { Address: { } address })
        {
            if (named.Count == 0)
                otherwise(false, $"There is no node '{name}'; 'crashcart nodes' lists them.");
            else
                otherwise(true, $"{name}: {Silence(named[0].State)}");
            return;
        }
        Ask([address], question, gathered =>
        {
            if (gathered.Answers.TryGetValue(address, out IWireMessage? answer))
                then(answer);
            else
                otherwise(true, $"{name}: {Silence("up")}");
        });
    }

    private void OnListContainers(FleetQuery.ListContainers query)
    {
        IActorRef asker = Sender;
        Ask(
            _nodes.ThatMayHave(query),
            id => new FindContainers
            {
                CorrelationId = id,
                Selector = query.Selector,
                Container = query.Container,
                Name = query.Filter.Name,
                Image = query.Filter.Image,
                Runtime = query.Filter.Runtime,
            },
            gathered => asker.Tell(Collect(gathered, query.Node, query.Access)));
    }

    private FleetQuery.Containers Collect(GatherActor.Gathered gathered, string nodes, TargetAccess access)
    {
        var found = gathered.Answers
            .Select(answer => (Address: answer.Key, Answer: (ContainersFound)answer.Value))
            .Where(answer => NodeGlob.Matches(nodes, answer.Answer.Node))
            .ToList();
        return new FleetQuery.Containers(
            [.. found
                .SelectMany(node => node.Answer.Containers.Select(c => new RunTarget(node.Answer.Node, node.Address, c) { LacksImage = node.Answer.LacksImage }))
                .Where(access.Allows)
                .OrderBy(target => target.Node, StringComparer.Ordinal).ThenBy(target => target.Container.Name, StringComparer.Ordinal)],
            Silent(gathered, nodes, access, found.Select(node => (node.Answer.Node, node.Answer.Problem))));
    }

    private void OnListLeases(LeaseQuery.List query)
    {
        IActorRef asker = Sender;
        if (query.Access.IsUnlimited)
            AskForLeases(query, found => asker.Tell(found));
        else
            Ask(
                _nodes.Named(query.Node),
                id => new FindContainers { CorrelationId = id },
                containers => AskForLeases(query, found => asker.Tell(Visible(found, containers, query.Access))));
    }

    private void AskForLeases(LeaseQuery.List query, Action<LeaseQuery.Found> then) => Ask(
        _nodes.Named(query.Node),
        id => new FindLeases { CorrelationId = id, Selector = query.Selector },
        gathered => then(Collect(gathered, query)));

    private LeaseQuery.Found Collect(GatherActor.Gathered gathered, LeaseQuery.List query)
    {
        var found = gathered.Answers.Values.Cast<LeasesFound>().Where(node => NodeGlob.Matches(query.Node, node.Node)).ToList();
        return new LeaseQuery.Found(
            [.. found.OrderBy(node => node.Node, StringComparer.Ordinal)],
            Silent(gathered, query.Node, query.Access, found.Select(node => (node.Node, node.Problem))));
    }

    /// <summary>Of what is held, that which is in containers that may be known.</summary>
    private static LeaseQuery.Found Visible(LeaseQuery.Found found, GatherActor.Gathered containers, TargetAccess access)
    {
        var labels = containers.Answers.Values.Cast<ContainersFound>()
            .SelectMany(node => node.Containers.Select(container => (Key: (node.Node, container.Id), container.Labels)))
            .DistinctBy(container => container.Key)
            .ToDictionary(container => container.Key, container => container.Labels);
        return found with { Nodes = [.. found.Nodes.Select(Visible)] };

        LeasesFound Visible(LeasesFound node) => new()
        {
            CorrelationId = node.CorrelationId,
            Node = node.Node,
            Problem = node.Problem,
            Mounts = { node.Mounts.Where(mount => IsVisible(node, mount.ContainerId)) },
            Sessions = { node.Sessions.Where(session => IsVisible(node, session.ContainerId)) },
        };

        bool IsVisible(LeasesFound node, string container) => access.Allows(node.Node, labels.GetValueOrDefault((node.Node, container)));
    }

    private void OnAskNodes(RunQuery.AskNodes ask)
    {
        IActorRef asker = Sender;
        Ask(_nodes.Reachable, ask.Question, gathered => asker.Tell(new RunQuery.NodesSaid(
            gathered.Answers, Silent(gathered, "", TargetAccess.All, gathered.Answers.Values.Select(answer => (NameOf(answer), ProblemOf(answer)))))));
    }

    private void OnEnd(LeaseQuery.EndOne end)
    {
        foreach (Address node in _nodes.Reachable.Where(node => _nodes.NameOf(node) == end.Node))
            Context.ActorSelection(GatherActor.NodePath(node)).Tell(new EndSession { SessionId = end.SessionId, Reason = end.Why });
    }

    /// <summary>Everybody of whom the answer says less than there is.</summary>
    private IReadOnlyList<SilentNode> Silent(
        GatherActor.Gathered gathered, string nodes, TargetAccess access, IEnumerable<(string Node, string Problem)> answers) =>
    [
        .. answers.Where(node => node.Problem.Length > 0).Select(node => new SilentNode(node.Node, node.Problem))
            .Concat(_nodes.Unreachable.Where(node => NodeGlob.Matches(nodes, node.Node)))
            .Concat(gathered.Silent.Select(node => new SilentNode(_nodes.NameOf(node), Silence("up"))).Where(node => NodeGlob.Matches(nodes, node.Node)))
            // One that became unreachable while it was asked is both.
            .DistinctBy(node => node.Node)
            .Where(node => access.MayAllow(node.Node)),
    ];

    private void OnNextMoment()
    {
        _moment++;
        foreach (Address node in _nodes.DueForIndex(_moment, IndexMoments))
            AskForIndex(node);
    }

    private void AskForIndex(Address node) =>
        Context.ActorSelection(GatherActor.NodePath(node)).Tell(_nodes.AskForIndex(node));

    private void Ask(IReadOnlyList<Address> nodes, Func<string, IQuestion> question, Action<GatherActor.Gathered> then)
    {
        string id = $"q{++_asked}";
        IActorRef gather = Context.ActorOf(GatherActor.Props([.. nodes.Select(GatherActor.NodePath)], question(id), AnswerPatience), id);
        _questions[gather] = then;
    }

    private void OnGathered(GatherActor.Gathered gathered)
    {
        foreach (var (address, answer) in gathered.Answers)
            _nodes.Name(address, NameOf(answer));
        if (_questions.Remove(Sender, out Action<GatherActor.Gathered>? then))
            then(gathered);
    }

    private static string ProblemOf(IWireMessage answer) => answer switch
    {
        KeptRunsFound runs => runs.Problem,
        RunRemoved removed => removed.Problem,
        _ => "",
    };

    private static string NameOf(IWireMessage answer) => answer switch
    {
        NodeDescribed described => described.Node,
        ContainersFound found => found.Node,
        LeasesFound leases => leases.Node,
        NodeCordoned cordoned => cordoned.Node,
        KeptRunsFound runs => runs.Node,
        RunRemoved removed => removed.Node,
        AuditFound audit => audit.Node,
        _ => throw new ArgumentOutOfRangeException(nameof(answer)),
    };

    private sealed class NextMoment : INoSerializationVerificationNeeded
    {
        public static readonly NextMoment Instance = new();
    }
}
