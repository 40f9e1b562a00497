using Akka.Actor;
using Crashcart.Actors;
using Crashcart.Actors.Protocol;

namespace Crashcart.Benchmarks.Simulation;

/// <summary>Owns one node's answers: ten containers, one of which is <see cref="Selector"/>'s, and sessions that end when they begin.</summary>
internal sealed class SimulatedNode : ReceiveActor
{
    /// <summary>Selects one container of each node.</summary>
    public const string Selector = "app=web,tier!=db";

    private const int Containers = 10;

    private readonly string _name;
    private readonly MessageCounter _counter;
    private readonly ContainerDescription[] _containers;

    public SimulatedNode(string name, MessageCounter counter)
    {
        _name = name;
        _counter = counter;
        _containers = [.. Enumerable.Range(0, Containers).Select(Describe)];
        Receive<DescribeNode>(describe => Tell(new NodeDescribed { CorrelationId = describe.CorrelationId, Node = _name }));
        Receive<FindContainers>(OnFind);
        Receive<StartSession>(OnStart);
        Receive<EndSession>(_ => { });
    }

    /// <summary>Whatever comes is counted.</summary>
    protected override bool AroundReceive(Receive receive, object message)
    {
        _counter.One();
        return base.AroundReceive(receive, message);
    }

    public static Props Props(string name, MessageCounter counter) =>
        Akka.Actor.Props.Create(() => new SimulatedNode(name, counter));

    private void OnFind(FindContainers find)
    {
        if (!Actors.Selector.TryParse(find.Selector, out var selector, out var problem))
            throw new InvalidOperationException($"The selector '{find.Selector}' is malformed {problem}.");
        Tell(new ContainersFound
        {
            CorrelationId = find.CorrelationId,
            Node = _name,
            Containers = { _containers.Where(container => selector.Matches(container.Labels)) },
        });
    }

    private void OnStart(StartSession start)
    {
        Tell(new SessionAccepted { SessionId = start.SessionId });
        Tell(new SessionOver { SessionId = start.SessionId, Ticket = start.Ticket, Problem = "The node is simulated." });
    }

    private void Tell(IWireMessage answer)
    {
        _counter.One();
        Sender.Tell(answer);
    }

    private ContainerDescription Describe(int number) => new()
    {
        Id = $"{_name}-{number}".PadRight(64, '0'),
        Name = $"box-{number}",
        Image = "registry/team/service:1.2.3",
        State = "running",
        Runtime = "docker",
        Labels = { ["app"] = number == 0 ? "web" : $"app-{number}", ["tier"] = "front", ["team"] = "payments" },
    };
}
