using Akka.Actor;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>Owns the runs of this coordinator, each an actor named by its id. A run that fails ends; it is not begun again.</summary>
internal sealed class RunsActor : ReceiveActor
{
    private readonly Dictionary<string, LiveRun> _live = [];

    public RunsActor(IActorRef fleet)
    {
        Receive<FleetQuery.StartRun>(start =>
        {
            IActorRef run = Context.Watch(Context.ActorOf(RunActor.Props(start.Plan, start.Port, fleet), start.Plan.Id.Value));
            Sender.Tell(new FleetQuery.RunAccepted(run));
        });
        Receive<RunQuery.StartReplay>(start => Sender.Tell(
            new FleetQuery.RunAccepted(Context.ActorOf(ReplayActor.Props(start.Replay, start.Port, fleet)))));
        Receive<Changed>(changed => _live[Sender.Path.Name] = changed.Run);
        // One that was rejected never told anything.
        Receive<Terminated>(gone => { _live.Remove(gone.ActorRef.Path.Name); });
        Receive<FindLiveRuns>(find => Sender.Tell(new LiveRunsFound { CorrelationId = find.CorrelationId, Runs = { _live.Values } }));
        // One that another coordinator has is nobody here.
        Receive<EndRun>(end => Context.Child(end.RunId).Tell(new Run.Cancel(end.Reason)));
        Receive<FleetQuery.SignalRun>(signal => Context.Child(signal.Run).Tell(signal.Signal));
    }

    /// <summary>From a run, when it is another than before.</summary>
    public sealed record Changed(LiveRun Run) : INoSerializationVerificationNeeded;

    public static Props Props(IActorRef fleet) => Akka.Actor.Props.Create(() => new RunsActor(fleet));

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);
}
