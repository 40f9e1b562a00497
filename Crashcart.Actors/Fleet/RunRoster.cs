using System.Security.Cryptography;
using Akka.Actor;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Fleet;

/// <summary>The targets of a run by their numbers, with the sessions that are theirs.</summary>
internal sealed class RunRoster(RunPlan plan)
{
    private readonly List<RunTarget> _targets = [];
    private readonly Dictionary<string, int> _sessions = [];
    private readonly Dictionary<int, ByteString> _tickets = [];
    private readonly HashSet<(string Node, string Container, long Started)> _known = [];

    public RunTarget this[int target] => _targets[target];

    public void Add(IEnumerable<RunTarget> targets)
    {
        foreach (RunTarget target in targets)
        {
            _sessions[plan.Id.Session(_targets.Count).Value] = _targets.Count;
            _known.Add(KeyOf(target));
            _targets.Add(target);
        }
    }

    /// <summary>A container that was restarted is another target.</summary>
    public bool Has(RunTarget target) => _known.Contains(KeyOf(target));

    /// <summary>The request to the target's node.</summary>
    /// <param name="ticket">From now on, who has it speaks for the session.</param>
    /// <param name="image">Null: the file that the node was given.</param>
    public StartSession Order(int target, StreamTicket ticket, WantedImage? image)
    {
        _tickets[target] = ticket.Secret;
        return new StartSession
        {
            SessionId = plan.Id.Session(target).Value,
            RunId = plan.Id.Value,
            ContainerId = _targets[target].Container.Id,
            Tool = plan.Tool,
            StreamEndpoint = ticket.Endpoint,
            Ticket = ticket.Secret,
            Image = ImageSources.For(_targets[target].Node, image),
        };
    }

    /// <summary>Who sent a message says nothing, for a peer may write any sender on it: the ticket does.</summary>
    public bool TryFind(string session, ByteString ticket, out int target) =>
        _sessions.TryGetValue(session, out target)
        && _tickets.TryGetValue(target, out ByteString? given)
        && CryptographicOperations.FixedTimeEquals(given.Span, ticket.Span);

    private static (string Node, string Container, long Started) KeyOf(RunTarget target) =>
        (target.Node, target.Container.Id, target.Container.StartedUnixMs);
}
