using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>Of a reading of what nodes keep: the sessions are as they are, and nothing here ends them.</summary>
internal sealed class ReplayOrders(ReplayPlan plan) : ISessionOrders
{
    private readonly List<SessionId> _sessions = [];

    public bool AreStreamed => true;

    public void Add(KeptSession session) => _sessions.Add(new SessionId(session.SessionId));

    public SessionId SessionOf(int target) => _sessions[target];

    public string? Obstacle(RunTarget where) => null;

    public IWireMessage Begin(int target, RunTarget where, int targets, StreamTicket ticket) => new ReplaySession
    {
        SessionId = _sessions[target].Value,
        StreamEndpoint = ticket.Endpoint,
        Ticket = ticket.Secret,
        Follow = plan.Follow,
        EndsOnly = plan.EndsOnly,
    };

    public IWireMessage Grant(RunTarget where, StartSession start) => start;

    public IWireMessage? End(int target, string reason) => null;

    public string Late(string node, TimeSpan patience) => $"Node {node} did not send what it keeps within {patience.TotalSeconds:0} s; its log says why.";

    public string Broke(string node) => $"The connection to node {node} broke before all that it keeps was read. Ask again.";

    public string Lost(string node) => $"Node {node} was lost before all that it keeps was read. Ask again when it is back.";
}
