using Crashcart.Actors.Fleet;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Audit;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Policies;
using Crashcart.Node.Auditing;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Api;

/// <summary>The client's API on audit logs: this coordinator's, or a node's.</summary>
internal sealed class AuditService(FleetGate fleet, PolicyGate policy, AuditLog log) : Crashcart.Api.Audit.AuditBase
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    public override async Task ListAudit(ListAuditRequest request, IServerStreamWriter<AuditLine> toClient, ServerCallContext context)
    {
        var question = new FindAudit
        {
            User = request.User,
            Target = request.Target,
            Verb = request.Verb,
            SinceUnixMs = request.SinceUnixMs,
            UntilUnixMs = request.UntilUnixMs,
            Limit = (int)Math.Min(request.Limit, int.MaxValue),
        };
        policy.Require(context, PolicyGate.Question(context, PolicyVerb.Audit) with { Node = request.Node.Length > 0 ? request.Node : null });
        IReadOnlyList<string> lines = request.Node.Length > 0 ? await OfNode(request.Node, question, context) : OfCoordinator(question);
        foreach (string line in lines)
            await toClient.WriteAsync(new AuditLine { Json = line }, context.CancellationToken);
    }

    private async Task<IReadOnlyList<string>> OfNode(string node, FindAudit question, ServerCallContext context)
    {
        var found = await fleet.AskFleet<FleetQuery.AuditLines>(new FleetQuery.ReadAudit(node, question), Patience, context.CancellationToken);
        return found.Problem.Length == 0
            ? found.Lines
            : throw new RpcException(new Status(found.IsKnown ? StatusCode.Unavailable : StatusCode.NotFound, found.Problem));
    }

    private IReadOnlyList<string> OfCoordinator(FindAudit question)
    {
        try
        {
            return question.ToQuery().Read(log.Directory);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RpcException(new Status(StatusCode.Unavailable, $"The coordinator's audit log could not be read: {e.Message}"));
        }
    }
}
