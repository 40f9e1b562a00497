using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one kill: finds what its id is on the nodes, and has it end. Looking → stopped. A run ends at its own coordinator,
/// which may be another one, and its sessions on their nodes, also when that coordinator is no more.
/// </summary>
internal sealed class KillActor : ReceiveActor
{
    private readonly LeaseQuery.Kill _kill;
    private readonly IActorRef _fleet;
    private readonly IActorRef _asker;

    public KillActor(LeaseQuery.Kill kill, IActorRef fleet, IActorRef asker)
    {
        _kill = kill;
        _fleet = fleet;
        _asker = asker;
        fleet.Tell(new RunQuery.List("") { Access = kill.Runs });
        Receive<RunQuery.Found>(found =>
        {
            List<RunId> live = [.. found.Runs.Where(run => !run.IsOver && run.Id.IsBegunBy(_kill.Id)).Select(run => run.Id)];
            // Whoever may end a run may end it wherever it is.
            fleet.Tell(new LeaseQuery.List("", "") { Access = live.Count > 0 ? TargetAccess.All : kill.Access });
            Become(() => Looking(live));
        });
    }

    public static Props Props(LeaseQuery.Kill kill, IActorRef fleet, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new KillActor(kill, fleet, asker));

    private void Looking(List<RunId> live) => Receive<LeaseQuery.Found>(found =>
    {
        var held = found.Nodes.SelectMany(node => node.Sessions.Select(session => (node.Node, Session: session))).ToList();
        List<RunId> runs = live.Count > 0
            ? live
            : [.. held.Select(one => new RunId(one.Session.RunId)).Distinct().Where(run => run.IsBegunBy(_kill.Id))];
        List<RunId> exact = [.. runs.Where(run => run.Value == _kill.Id)];
        if (exact.Count == 0 && runs.Count > 1)
            Answer(new LeaseQuery.Rejected(
                NotFound: false, $"'{_kill.Id}' is the beginning of {runs.Count} runs: {string.Join(", ", runs.Take(5))}; write more of it."));
        else if ((exact.Count > 0 ? exact : runs) is [var run])
            End(run.Value, [.. held.Where(one => one.Session.RunId == run.Value)], isRun: true, isWhole: live.Count > 0, found.Silent);
        else
            // One that only a coordinator knows which does not answer is told by its whole id, or not at all.
            End(_kill.Id, [.. held.Where(one => one.Session.SessionId == _kill.Id)], isRun: false, isWhole: false, found.Silent);
    });

    /// <param name="isWhole">All of the run may be ended, not just these sessions.</param>
    private void End(string id, IReadOnlyList<(string Node, HeldSession Session)> sessions, bool isRun, bool isWhole, IReadOnlyList<SilentNode> silent)
    {
        string why = $"It was killed by {_kill.By}.";
        // First, so that no session takes the place of one that ends. What a run has not begun yet may be anywhere.
        if (isWhole || _kill.Access.IsUnlimited)
            EndRun(id, why);
        foreach (var (node, session) in sessions)
            _fleet.Tell(new LeaseQuery.EndOne(node, session.SessionId, why));
        Answer(new LeaseQuery.Killed(isRun ? new RunId(id) : null, sessions, silent));
    }

    private static void EndRun(string id, string why)
    {
        foreach (Member member in Cluster.Get(Context.System).State.Members.Where(member => member.HasRole(ClusterSettings.CoordinatorRole)))
            Context.ActorSelection(new RootActorPath(member.Address) / "user" / "fleet").Tell(new EndRun { RunId = id, Reason = why });
    }

    private void Answer(object answer)
    {
        _asker.Tell(answer);
        Context.Stop(Self);
    }
}
