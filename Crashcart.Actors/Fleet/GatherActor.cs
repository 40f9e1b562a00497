using Akka.Actor;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one question to many members: asks all at once, and answers its parent when all have answered or the time is over.
/// Asking → stopped.
/// </summary>
internal sealed class GatherActor : ReceiveActor, IWithTimers
{
    private readonly Dictionary<Address, IWireMessage> _answers = [];
    private readonly HashSet<Address> _waiting;

    public GatherActor(IReadOnlyCollection<ActorPath> asked, IQuestion question, TimeSpan patience)
    {
        _waiting = [.. asked.Select(path => path.Address)];
        // An answer to another question than was asked is nobody's business here.
        Receive<IAnswer>(answer => OnAnswer(answer.GetType() == question.AnswerType && answer.CorrelationId == question.CorrelationId, answer));
        Receive<TimeIsOver>(_ => Finish());
        if (asked.Count == 0)
            Self.Tell(TimeIsOver.Instance);
        else
            Timers!.StartSingleTimer(TimeIsOver.Instance, TimeIsOver.Instance, patience);
        foreach (ActorPath path in asked)
            Context.ActorSelection(path).Tell(question);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Told to the parent, once.</summary>
    /// <param name="Silent">Members that have not answered in time.</param>
    public sealed record Gathered(IReadOnlyDictionary<Address, IWireMessage> Answers, IReadOnlyCollection<Address> Silent)
        : INoSerializationVerificationNeeded;

    /// <param name="asked">One actor of each member.</param>
    public static Props Props(IReadOnlyCollection<ActorPath> asked, IQuestion question, TimeSpan patience) =>
        Akka.Actor.Props.Create(() => new GatherActor(asked, question, patience));

    /// <summary>Where every node listens.</summary>
    public static ActorPath NodePath(Address node) => new RootActorPath(node) / "user" / "node";

    private void OnAnswer(bool isOurs, IWireMessage answer)
    {
        Address from = Context.MemberOfSender();
        if (!isOurs || !_waiting.Remove(from))
            return;
        _answers[from] = answer;
        if (_waiting.Count == 0)
            Finish();
    }

    private void Finish()
    {
        Context.Parent.Tell(new Gathered(_answers, _waiting));
        Context.Stop(Self);
    }

    private sealed class TimeIsOver : INoSerializationVerificationNeeded
    {
        public static readonly TimeIsOver Instance = new();
    }
}
