using Akka.Actor;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>Owns the runs of this coordinator, each an actor named by its id. A run that fails ends; it is not begun again.</summary>
internal sealed class RunsActor : ReceiveActor
{
    public RunsActor(IActorRef fleet)
    {
        Receive<FleetQuery.StartRun>(start =>
        {
            IActorRef run = Context.ActorOf(RunActor.Props(start.Plan, start.Port, fleet), start.Plan.Id.Value);
            Sender.Tell(new FleetQuery.RunAccepted(run));
        });
        // One that another coordinator has is nobody here.
        Receive<EndRun>(end => Context.Child(end.RunId).Tell(new Run.Cancel(end.Reason)));
        Receive<FleetQuery.SignalRun>(signal => Context.Child(signal.Run).Tell(signal.Signal));
    }

    public static Props Props(IActorRef fleet) => Akka.Actor.Props.Create(() => new RunsActor(fleet));

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);
}
