using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>Of a run that runs a tool.</summary>
/// <param name="now">Of a clock that deadlines go by.</param>
internal sealed class ToolOrders(RunPlan plan, Func<DateTimeOffset> now) : ISessionOrders
{
    /// <summary>Null: the file that each node was given.</summary>
    public WantedImage? Image { get; set; } = plan.Image;

    /// <summary>When the first could start.</summary>
    public DateTimeOffset Began { get; set; } = now();

    public bool AreStreamed => plan.Keep is null;

    public SessionId SessionOf(int target) => plan.Id.Session(target);

    public string? Obstacle(RunTarget where) =>
        plan.Access.Allows(where) ? null : "The fleet's policy was changed before the session began, and does not allow it any more.";

    public IWireMessage Begin(int target, RunTarget where, int targets, StreamTicket ticket) => new StartSession
    {
        SessionId = SessionOf(target).Value,
        RunId = plan.Id.Value,
        ContainerId = where.Container.Id,
        Tool = plan.Tool,
        StreamEndpoint = ticket.Endpoint,
        Ticket = ticket.Secret,
        Image = ImageSources.For(where.Node, Image),
        Chosen = new ContainerLabels { Labels = { where.Container.Labels } },
        Keep = plan.Keep is null ? null : new KeepOrder
        {
            MaxBytes = plan.Keep.MaxBytes,
            TimeoutMs = (long)(plan.Timeout ?? TimeSpan.Zero).TotalMilliseconds,
            // One that has passed is not none.
            DeadlineMs = plan.Deadline is { } deadline ? Math.Max(1, (long)(deadline - (now() - Began)).TotalMilliseconds) : 0,
            By = plan.By,
            Container = where.Container.Name,
            Target = target,
            Targets = targets,
            RunSinceUnixMs = Began.ToUnixTimeMilliseconds(),
        },
    };

    public IWireMessage Grant(RunTarget where, StartSession start) => plan.Access.Grant(where, start);

    public IWireMessage End(int target, string reason) => new EndSession { SessionId = SessionOf(target).Value, Reason = plan.Keep is null ? "" : reason };

    public string Late(string node, TimeSpan patience) =>
        $"Node {node} did not start the tool within {patience.TotalSeconds:0} s; its log says why.";

    public string Broke(string node) =>
        $"The connection to node {node} broke during the session; the node ends the tool by itself. Run it again.";

    public string Lost(string node) => $"Node {node} was lost during the session; what ran there ends with its node's process.";
}
