using Akka.Actor;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>Owns one request to forget a run: finds it, and has every node forget it, if it is over. Looking → stopped</summary>
internal sealed class RunRemovalActor : ReceiveActor
{
    public RunRemovalActor(RunQuery.Remove remove, IActorRef fleet, IActorRef asker)
    {
        fleet.Tell(new RunQuery.List(remove.Id) { Access = remove.Access });
        Receive<RunQuery.Found>(found =>
        {
            if (!RunFacts.TryChoose(found, remove.Id, out RunFacts? run, out RunQuery.Rejected? rejection))
                Answer(rejection);
            else if (!run.IsOver)
                Answer(new RunQuery.Rejected(NotFound: false, $"{run.Id} goes on; 'crashcart kill {run.Id}' ends it."));
            else
            {
                fleet.Tell(new RunQuery.AskNodes(question => new RemoveRun { CorrelationId = question, RunId = run.Id.Value }));
                Become(() => Receive<RunQuery.NodesSaid>(nodes => Answer(new RunQuery.Removed(run.Id, nodes.Silent))));
            }
        });

        void Answer(object answer)
        {
            asker.Tell(answer);
            Context.Stop(Self);
        }
    }

    public static Props Props(RunQuery.Remove remove, IActorRef fleet, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new RunRemovalActor(remove, fleet, asker));
}
