using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one request to end a session or a run: asks the nodes who has it, tells those to end it, and tells every coordinator,
/// so that the run starts no more. Looking → stopped
/// </summary>
internal sealed class KillActor : ReceiveActor
{
    public KillActor(LeaseQuery.Kill kill, IActorRef fleet, IActorRef asker)
    {
        var id = kill.Id;
        var why = $"It was killed by {kill.By}.";
        fleet.Tell(new LeaseQuery.List("", "") { Access = kill.Access });
        Receive<LeaseQuery.Found>(found =>
        {
            var sessions = found.Nodes
                .SelectMany(node => node.Sessions.Select(session => (Node: node, Session: session)))
                .Where(held => held.Session.SessionId == id || held.Session.RunId == id)
                .ToList();
            // First, so that no session takes the place of one that ends. What a run has not begun yet may be anywhere.
            if (kill.Access.IsUnlimited)
                EndRun(id, why);
            foreach (var (node, session) in sessions)
                fleet.Tell(new LeaseQuery.EndOne(node.Node, session.SessionId, why));
            asker.Tell(new LeaseQuery.Killed([.. sessions.Select(held => (held.Node.Node, held.Session))], found.Silent));
            Context.Stop(Self);
        });
    }

    private static void EndRun(string id, string why)
    {
        foreach (Member member in Cluster.Get(Context.System).State.Members.Where(member => member.HasRole(ClusterSettings.CoordinatorRole)))
            Context.ActorSelection(new RootActorPath(member.Address) / "user" / "fleet").Tell(new EndRun { RunId = id, Reason = why });
    }

    public static Props Props(LeaseQuery.Kill kill, IActorRef fleet, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new KillActor(kill, fleet, asker));
}
