using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>What the coordinator's front asks about recordings. All of it stays in one process.</summary>
public static class RecordingQuery
{
    /// <summary>Put to every coordinator, this one too; answered by <see cref="Found"/>.</summary>
    public sealed record Find(FindRecordings Question) : INoSerializationVerificationNeeded;

    /// <param name="Answers">By the coordinator that has them.</param>
    public sealed record Found(IReadOnlyDictionary<Address, RecordingsFound> Answers, IReadOnlyList<SilentNode> Silent) : INoSerializationVerificationNeeded;

    /// <summary>One part of a recording; answered by <see cref="RecordingRead"/>.</summary>
    public sealed record Read(Address Coordinator, ReadRecording Question) : INoSerializationVerificationNeeded;
}

/// <summary>
/// Owns a coordinator's part in the fleet's recordings: answers other coordinators about its own, and puts questions to all of them. A recording's
/// bytes go between coordinators in parts of which one is under way, so that they delay no heartbeat.
/// </summary>
public sealed class FleetRecordingsActor : ReceiveActor
{
    /// <summary>The actor's name at the top of its system.</summary>
    public const string Name = "recordings";

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

    private readonly Dictionary<IActorRef, Action<GatherActor.Gathered>> _questions = [];
    private int _asked;

    public FleetRecordingsActor(IRecordingShelf shelf)
    {
        Receive<RecordingQuery.Find>(OnFind);
        Receive<RecordingQuery.Read>(OnRead);
        Receive<GatherActor.Gathered>(gathered =>
        {
            if (_questions.Remove(Sender, out Action<GatherActor.Gathered>? then))
                then(gathered);
        });
        Receive<FindRecordings>(find => Answer(
            shelf.FindAsync(find),
            answer => answer.CorrelationId = find.CorrelationId,
            problem => new RecordingsFound { CorrelationId = find.CorrelationId, Problem = problem }));
        Receive<ReadRecording>(read => Answer(
            shelf.ReadAsync(read),
            answer => answer.CorrelationId = read.CorrelationId,
            problem => new RecordingRead { CorrelationId = read.CorrelationId, Problem = problem }));
    }

    public static Props Props(IRecordingShelf shelf) => Akka.Actor.Props.Create(() => new FleetRecordingsActor(shelf));

    private void OnFind(RecordingQuery.Find find)
    {
        IActorRef asker = Sender;
        ClusterEvent.CurrentClusterState cluster = Cluster.Get(Context.System).State;
        var coordinators = cluster.Members.Where(member => member.HasRole(ClusterSettings.CoordinatorRole)).ToLookup(cluster.Unreachable.Contains);
        List<SilentNode> unreachable = [.. coordinators[true].Select(member => Silent(member.Address, "is unreachable"))];
        Ask(
            [.. coordinators[false].Select(member => member.Address)],
            id => new FindRecordings(find.Question) { CorrelationId = id },
            gathered => asker.Tell(new RecordingQuery.Found(
                gathered.Answers.ToDictionary(answer => answer.Key, answer => (RecordingsFound)answer.Value),
                [.. unreachable, .. gathered.Silent.Select(member => Silent(member, $"did not answer within {AnswerPatience.TotalSeconds:0} s"))])));
    }

    private void OnRead(RecordingQuery.Read read)
    {
        IActorRef asker = Sender;
        Ask(
            [read.Coordinator],
            id => new ReadRecording(read.Question) { CorrelationId = id },
            gathered => asker.Tell(gathered.Answers.Values.FirstOrDefault()
                ?? new RecordingRead { Problem = $"The coordinator {FleetImagesActor.NameOf(read.Coordinator)} did not answer within {AnswerPatience.TotalSeconds:0} s." }));
    }

    private void Ask(IReadOnlyList<Address> coordinators, Func<string, IQuestion> question, Action<GatherActor.Gathered> then)
    {
        string id = $"q{++_asked}";
        IActorRef gather = Context.ActorOf(
            GatherActor.Props([.. coordinators.Select(address => new RootActorPath(address) / "user" / Name)], question(id), AnswerPatience), id);
        _questions[gather] = then;
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
            e => failure(e.Message));

    private static SilentNode Silent(Address coordinator, string why) =>
        new(FleetImagesActor.NameOf(coordinator), $"The coordinator {why}; whether it has recordings is not known.");
}
