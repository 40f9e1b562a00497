using System.Security.Cryptography;
using Akka.Actor;
using Google.Protobuf;

namespace Crashcart.Actors.Fleet;

/// <summary>The targets of a run by their numbers, with the sessions that are theirs.</summary>
internal sealed class RunRoster
{
    private readonly List<RunTarget> _targets = [];
    private readonly Dictionary<string, int> _sessions = [];
    private readonly Dictionary<int, ByteString> _tickets = [];
    private readonly HashSet<(string Node, string Container, long Started)> _known = [];

    public int Count => _targets.Count;

    public RunTarget this[int target] => _targets[target];

    public void Add(RunTarget target, SessionId session)
    {
        _sessions[session.Value] = _targets.Count;
        _known.Add(KeyOf(target));
        _targets.Add(target);
    }

    /// <summary>A container that was restarted is another target.</summary>
    public bool Has(RunTarget target) => _known.Contains(KeyOf(target));

    public bool Has(SessionId session) => _sessions.ContainsKey(session.Value);

    /// <summary>From now on, who has the ticket speaks for the session.</summary>
    public void Trust(int target, ByteString ticket) => _tickets[target] = ticket;

    /// <summary>Who sent a message says nothing, for a peer may write any sender on it: the ticket does.</summary>
    public bool TryFind(string session, ByteString ticket, out int target) =>
        _sessions.TryGetValue(session, out target)
        && _tickets.TryGetValue(target, out ByteString? given)
        && CryptographicOperations.FixedTimeEquals(given.Span, ticket.Span);

    private static (string Node, string Container, long Started) KeyOf(RunTarget target) =>
        (target.Node, target.Container.Id, target.Container.StartedUnixMs);
}
