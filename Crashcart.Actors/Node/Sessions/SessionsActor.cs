using Akka.Actor;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Sessions;

/// <summary>Starts a <see cref="SessionActor"/> for every session, and ends all of them when the node stops.</summary>
internal sealed class SessionsActor : ReceiveActor
{
    private readonly Dictionary<string, IActorRef> _sessions = [];
    private readonly Dictionary<string, SessionFacts> _facts = [];
    private readonly NodePorts _ports;
    private readonly SessionNeighbours _node;
    private readonly SessionPatience _patience;
    private readonly int _most;
    private string _refusal = "";

    public SessionsActor(NodePorts ports, SessionNeighbours node, SessionPatience patience, int most)
    {
        _ports = ports;
        _node = node;
        _patience = patience;
        _most = most;
        Taking();
    }

    /// <summary>To the parent, at every change.</summary>
    public sealed record Counted(int Sessions) : ILocalMessage;

    /// <summary>Answered by <see cref="Listed"/>.</summary>
    public sealed record List : ILocalMessage;

    public sealed record Listed(IReadOnlyList<SessionFacts> Sessions) : ILocalMessage;

    /// <summary>From a session: it was granted its image.</summary>
    public sealed record Leased(string LoopDevice, string ImageKey) : ILocalMessage;

    /// <summary>Why no new session is taken; empty: they are taken.</summary>
    public sealed record Refuse(string Why) : ILocalMessage;

    /// <summary>End every session within the time.</summary>
    /// <param name="Why">For those whose sessions end.</param>
    public sealed record EndAll(TimeSpan Grace, string Why) : ILocalMessage;

    /// <param name="most">Sessions at one time.</param>
    public static Props Props(NodePorts ports, SessionNeighbours node, SessionPatience patience, int most) =>
        Akka.Actor.Props.Create(() => new SessionsActor(ports, node, patience, most));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    private void Taking()
    {
        ReceiveQuestions();
        Receive<StartSession>(OnStart);
        Receive<EndSession>(OnEnd);
        Receive<SignalSession>(OnSignal);
        Receive<EndAll>(end => OnEndAll(end.Grace, end.Why));
        Receive<Refuse>(refuse => _refusal = refuse.Why);
        Receive<Terminated>(OnTerminated);
        Receive<NodeActor.Drain>(drain =>
        {
            var asker = Sender;
            Become(() => Draining(asker));
            OnEndAll(drain.Grace, drain.Why);
            TellWhenDrained(asker);
        });
    }

    private void Draining(IActorRef asker)
    {
        Receive<StartSession>(start => Sender.Tell(Over(start, _refusal)));
        ReceiveQuestions();
        Receive<EndSession>(OnEnd);
        Receive<SignalSession>(OnSignal);
        Receive<EndAll>(end => OnEndAll(end.Grace, end.Why));
        Receive<Refuse>(_ => { });
        Receive<NodeActor.Drain>(drain => OnEndAll(drain.Grace, drain.Why));
        Receive<Terminated>(gone =>
        {
            OnTerminated(gone);
            TellWhenDrained(asker);
        });
    }

    private void ReceiveQuestions()
    {
        Receive<List>(_ => Sender.Tell(new Listed([.. _facts.Values.OrderBy(session => session.SinceUnixMs)])));
        Receive<Leased>(leased =>
        {
            if (_facts.TryGetValue(Sender.Path.Name, out var session))
                _facts[Sender.Path.Name] = session with { LoopDevice = leased.LoopDevice, ImageKey = leased.ImageKey };
        });
    }

    private void OnStart(StartSession start)
    {
        if (_refusal.Length > 0)
        {
            Sender.Tell(Over(start, _refusal));
            return;
        }

        if (!ActorPath.IsValidPathElement(start.SessionId) || start.Tool is null)
        {
            Sender.Tell(Over(start, "The request to start it is malformed."));
            return;
        }

        // The request may come twice; the first has told the requester all.
        if (_sessions.ContainsKey(start.SessionId))
            return;

        if (_sessions.Count >= _most)
        {
            Sender.Tell(Over(start, $"The node has {_most} session{(_most == 1 ? "" : "s")} already, the most at one time: try again when one has ended, or raise the node's --max-sessions."));
            return;
        }

        var request = new SessionRequest(start, Sender);
        var session = Context.ActorOf(SessionActor.Props(request, _ports, _node, _patience), start.SessionId);
        _sessions.Add(start.SessionId, Context.Watch(session));
        _facts.Add(start.SessionId, SessionFacts.Of(request, DateTimeOffset.UtcNow));
        Context.Parent.Tell(new Counted(_sessions.Count));
    }

    private void OnEnd(EndSession end)
    {
        if (_sessions.TryGetValue(end.SessionId, out var session))
            session.Forward(end);
        else
            Sender.Tell(new SessionOver { SessionId = end.SessionId, Problem = "There is no such session on the node." });
    }

    // For one that is over it is too late, which its requester is told anyway.
    private void OnSignal(SignalSession signal)
    {
        if (_sessions.TryGetValue(signal.SessionId, out var session))
            session.Forward(signal);
    }

    private void OnTerminated(Terminated gone)
    {
        _sessions.Remove(gone.ActorRef.Path.Name);
        _facts.Remove(gone.ActorRef.Path.Name);
        Context.Parent.Tell(new Counted(_sessions.Count));
    }

    private void OnEndAll(TimeSpan grace, string why)
    {
        foreach (var session in _sessions.Values)
            session.Tell(new SessionActor.EndWithin(grace, why));
    }

    private void TellWhenDrained(IActorRef asker)
    {
        if (_sessions.Count == 0)
            asker.Tell(new NodeActor.Drained());
    }

    private static SessionOver Over(StartSession start, string problem) =>
        new() { SessionId = start.SessionId, Problem = problem, Ticket = start.Ticket };
}
