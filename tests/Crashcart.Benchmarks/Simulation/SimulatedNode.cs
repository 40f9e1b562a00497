using Akka.Actor;
using Crashcart.Actors;
using Crashcart.Actors.Node;
using Crashcart.Actors.Protocol;

namespace Crashcart.Benchmarks.Simulation;

/// <summary>Owns one node's answers: ten containers, one of which is <see cref="OneOfEach"/>'s, and sessions that end when they begin.</summary>
internal sealed class SimulatedNode : ReceiveActor
{
    /// <summary>Selects one container of each node.</summary>
    public const string OneOfEach = "app=web,tier!=db";

    /// <summary>Selects one container of each of the first <see cref="FewNodes"/> nodes, and none of the others.</summary>
    public const string Few = "app=web,stage in (canary,preview)";

    public const int FewNodes = 10;

    private const int Containers = 10;

    private readonly string _name;
    private readonly MessageCounter _counter;
    private readonly Container[] _containers;

    public SimulatedNode(int number, MessageCounter counter)
    {
        _name = $"node-{number:00000}";
        _counter = counter;
        _containers = [.. Enumerable.Range(0, Containers).Select(container => Describe(container, number < FewNodes ? "canary" : "production"))];
        var index = new ContainerIndex { Fingerprints = { _containers.SelectMany(Fingerprint.Of).Distinct().Order() } };
        Receive<IndexContainers>(wish => Tell(new ContainersIndexed { Ticket = wish.Ticket, Index = index }));
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

    public static Props Props(int number, MessageCounter counter) =>
        Akka.Actor.Props.Create(() => new SimulatedNode(number, counter));

    private void OnFind(FindContainers find)
    {
        if (!Selector.TryParse(find.Selector, out var selector, out var problem))
            throw new InvalidOperationException($"The selector '{find.Selector}' is malformed {problem}.");
        Tell(new ContainersFound
        {
            CorrelationId = find.CorrelationId,
            Node = _name,
            Containers = { _containers.Where(container => selector.Matches(container.Labels)).Select(container => container.Describe()) },
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

    private Container Describe(int number, string stage) => new(
        new ContainerId($"{_name}-{number}".PadRight(64, '0')),
        Pid: number + 1,
        $"box-{number}",
        "registry/team/service:1.2.3",
        "running",
        "docker",
        new Dictionary<string, string> { ["app"] = number == 0 ? "web" : $"app-{number}", ["tier"] = "front", ["stage"] = stage },
        StartedUnixMs: 0);
}
