using Akka.Actor;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Reconciliation;

/// <summary>Answers one question about what is held: finds out which containers it is about, tells, and stops.</summary>
internal sealed class LeaseAnswerActor : ReceiveActor
{
    public LeaseAnswerActor(IActorRef containers, IActorRef asker, FindLeases question, LeaseListing listing, string problem)
    {
        containers.Tell(new FindContainers { Selector = question.Selector });
        Receive<ContainersFound>(found =>
        {
            var answer = listing.Describe(found.Containers, all: question.Selector.Length == 0);
            answer.CorrelationId = question.CorrelationId;
            answer.Node = found.Node;
            answer.Problem = string.Join(" ", new[] { problem, found.Problem }.Where(text => text.Length > 0));
            asker.Tell(answer);
            Context.Stop(Self);
        });
    }

    public static Props Props(IActorRef containers, IActorRef asker, FindLeases question, LeaseListing listing, string problem) =>
        Akka.Actor.Props.Create(() => new LeaseAnswerActor(containers, asker, question, listing, problem));
}
