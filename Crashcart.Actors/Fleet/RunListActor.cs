using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one question about runs: which go on at coordinators, and then, what nodes keep. In this order, so that a session
/// which a run has begun meanwhile is among what is kept. Asking coordinators → asking nodes → stopped
/// </summary>
internal sealed class RunListActor : ReceiveActor
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly RunQuery.List _question;
    private readonly IActorRef _asker;
    private readonly List<SilentNode> _silent = [];

    public RunListActor(RunQuery.List question, IActorRef fleet, IActorRef asker)
    {
        _question = question;
        _asker = asker;
        AskCoordinators();
        Receive<GatherActor.Gathered>(coordinators =>
        {
            _silent.AddRange(coordinators.Silent.Select(member => Silent(member, $"did not answer within {Patience.TotalSeconds:0} s")));
            fleet.Tell(new RunQuery.AskNodes(id => new FindKeptRuns { CorrelationId = id }));
            var live = coordinators.Answers.Values.Cast<LiveRunsFound>().SelectMany(answer => answer.Runs).ToList();
            Become(() => AskingNodes(live));
        });
    }

    public static Props Props(RunQuery.List question, IActorRef fleet, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new RunListActor(question, fleet, asker));

    private void AskCoordinators()
    {
        ClusterEvent.CurrentClusterState cluster = Cluster.Get(Context.System).State;
        var coordinators = cluster.Members.Where(member => member.HasRole(ClusterSettings.CoordinatorRole)).ToLookup(cluster.Unreachable.Contains);
        _silent.AddRange(coordinators[true].Select(member => Silent(member.Address, "is unreachable")));
        Context.ActorOf(GatherActor.Props(
            [.. coordinators[false].Select(member => new RootActorPath(member.Address) / "user" / "fleet")],
            new FindLiveRuns { CorrelationId = Self.Path.Name },
            Patience));
    }

    private void AskingNodes(IReadOnlyList<LiveRun> live) => Receive<RunQuery.NodesSaid>(nodes =>
    {
        var runs = RunFacts.Merge(live, nodes.Answers.Values.Cast<KeptRunsFound>().SelectMany(answer => answer.Runs));
        _asker.Tell(new RunQuery.Found(
            [.. runs.Where(run => _question.Access.Allows(run) && (_question.Id.Length == 0 || run.Id.IsBegunBy(_question.Id)))], [.. _silent, .. nodes.Silent]));
        Context.Stop(Self);
    });

    private static SilentNode Silent(Address coordinator, string why) =>
        new(FleetImagesActor.NameOf(coordinator), $"The coordinator {why}; whether it has runs is not known.");
}
