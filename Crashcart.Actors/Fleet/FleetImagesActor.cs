using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns a coordinator's part in the fleet's images: answers other coordinators about its own, and puts the coordinator's
/// questions to all of them, or to nodes. What the others have is never remembered: they are asked each time.
/// Joining → Joined
/// </summary>
public sealed class FleetImagesActor : ReceiveActor, IWithUnboundedStash
{
    /// <summary>The actor's name at the top of its system.</summary>
    public const string Name = "images";

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly NodeTable _coordinators = new();
    private readonly Dictionary<IActorRef, (IActorRef Asker, IReadOnlyList<SilentNode> Unreachable)> _questions = [];
    private readonly IImageShelf _shelf;
    private int _asked;

    public FleetImagesActor(IImageShelf shelf)
    {
        _shelf = shelf;
        Joining();
    }

    public IStash Stash { get; set; } = null!;

    /// <summary>Put the question to every coordinator, this one too; answered by <see cref="Answers"/>.</summary>
    /// <param name="TryUnreachable">Those that are thought unreachable too: the thought may be wrong, but each that it is right of costs the whole patience.</param>
    public sealed record AskCoordinators(Func<string, IQuestion> Question, bool TryUnreachable = false) : INoSerializationVerificationNeeded;

    /// <summary>Put the question to nodes; answered by <see cref="Answers"/>.</summary>
    public sealed record AskNodes(IReadOnlyList<Address> Nodes, Func<string, IQuestion> Question) : INoSerializationVerificationNeeded;

    /// <param name="Silent">Members that were to be asked and did not answer.</param>
    public sealed record Answers(IReadOnlyDictionary<Address, IWireMessage> All, IReadOnlyList<SilentNode> Silent) : INoSerializationVerificationNeeded;

    public static Props Props(IImageShelf shelf) => Akka.Actor.Props.Create(() => new FleetImagesActor(shelf));

    /// <summary>How people are told which coordinator it is.</summary>
    public static string NameOf(Address coordinator) => coordinator.Port is { } port ? $"{coordinator.Host}:{port}" : coordinator.ToString();

    protected override void PreStart() => Cluster.Get(Context.System).Subscribe(
        Self,
        ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents,
        typeof(ClusterEvent.IMemberEvent),
        typeof(ClusterEvent.IReachabilityEvent));

    protected override void PostStop() => Cluster.Get(Context.System).Unsubscribe(Self);

    private static ActorPath Path(Address coordinator) => new RootActorPath(coordinator) / "user" / Name;

    private void Joining()
    {
        // Who is not yet a member does not know the others: silence about their images would pass for there being none.
        Receive<AskCoordinators>(_ => Stash.Stash());
        Receive<ClusterEvent.IMemberEvent>(e =>
        {
            OnMember(e.Member);
            if (!_coordinators.IsReachable(Cluster.Get(Context.System).SelfAddress))
                return;
            Become(Joined);
            Stash.UnstashAll();
        });
        ReceiveAlways();
    }

    private void Joined()
    {
        Receive<AskCoordinators>(OnAskCoordinators);
        Receive<ClusterEvent.IMemberEvent>(e => OnMember(e.Member));
        ReceiveAlways();
    }

    private void ReceiveAlways()
    {
        Receive<ClusterEvent.UnreachableMember>(e => OnReachability(e.Member, false));
        Receive<ClusterEvent.ReachableMember>(e => OnReachability(e.Member, true));
        Receive<AskNodes>(ask => Ask(ask.Question, [.. ask.Nodes.Select(GatherActor.NodePath)], []));
        Receive<GatherActor.Gathered>(OnGathered);
        Receive<FindImages>(find => Answer(
            _shelf.FindAsync(find.Reference),
            answer => answer.CorrelationId = find.CorrelationId,
            problem => new ImagesFound { CorrelationId = find.CorrelationId, Problem = problem }));
        Receive<RecordImageName>(record => Answer(
            _shelf.RecordAsync(record.Record),
            answer => answer.CorrelationId = record.CorrelationId,
            problem => new ImageNameRecorded { CorrelationId = record.CorrelationId, Problem = problem }));
        Receive<DropImage>(drop => Answer(
            _shelf.DropAsync(drop.Digest),
            answer => answer.CorrelationId = drop.CorrelationId,
            problem => new ImageDropped { CorrelationId = drop.CorrelationId, Problem = problem }));
    }

    private void OnMember(Member member)
    {
        if (member.HasRole(ClusterSettings.CoordinatorRole))
            _coordinators.Apply(member.UniqueAddress, member.Status);
    }

    private void OnReachability(Member member, bool reachable)
    {
        if (!member.HasRole(ClusterSettings.CoordinatorRole))
            return;
        _coordinators.Apply(member.UniqueAddress, member.Status);
        _coordinators.SetReachable(member.UniqueAddress, reachable);
    }

    private void OnAskCoordinators(AskCoordinators ask)
    {
        ILookup<bool, (Address Address, string Name, string State)> asked = _coordinators.All
            .ToLookup(one => one.State is "up" or "leaving" || (ask.TryUnreachable && one.State is "unreachable"));
        Ask(
            ask.Question,
            [.. asked[true].Select(one => Path(one.Address))],
            [.. asked[false].Select(one => new SilentNode(one.Name, $"The coordinator is {one.State}."))]);
    }

    private void Ask(Func<string, IQuestion> question, IReadOnlyList<ActorPath> asked, IReadOnlyList<SilentNode> unreachable)
    {
        string id = $"q{++_asked}";
        IActorRef gather = Context.ActorOf(GatherActor.Props(asked, question(id), AnswerPatience), id);
        _questions[gather] = (Sender, unreachable);
    }

    private void OnGathered(GatherActor.Gathered gathered)
    {
        if (!_questions.Remove(Sender, out (IActorRef Asker, IReadOnlyList<SilentNode> Unreachable) question))
            return;
        var silent = gathered.Silent.Select(member => new SilentNode(NameOf(member), $"It did not answer within {AnswerPatience.TotalSeconds:0} s."));
        question.Asker.Tell(new Answers(gathered.Answers, [.. question.Unreachable, .. silent]));
    }

    private void Answer<T>(Task<T> answer, Action<T> correlate, Func<string, T> failure)
        where T : IAnswer =>
        answer.PipeTo(
            Sender,
            Self,
            found =>
            {
                correlate(found);
                return found;
            },
            e =>
            {
                _log.Warning("Could not answer another coordinator about images: {0}", e.Message);
                return failure(e.Message);
            });
}
