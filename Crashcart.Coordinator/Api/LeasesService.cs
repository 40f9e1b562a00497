using Akka.Actor;
using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Grpc.Core;
using ChangedMount = Crashcart.Actors.Fleet.ChangedMount;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Api;

/// <summary>The client's API on what is held: mounts and sessions.</summary>
internal sealed class LeasesService(FleetGate fleet, ILogger<LeasesService> log) : Leases.LeasesBase
{
    /// <summary>More than the actors' patience with the nodes, so that a node's silence is told as such.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public override async Task<ListLeasesResponse> ListLeases(ListLeasesRequest request, ServerCallContext context)
    {
        RequireSelector(request.Selector);
        var found = (LeaseQuery.Found)await Ask(new LeaseQuery.List(request.Selector, request.Node), context);
        return new ListLeasesResponse
        {
            Mounts = { found.Nodes.SelectMany(node => node.Mounts.Select(mount => LeaseMapping.ToApi(node.Node, mount))) },
            Sessions = { found.Nodes.SelectMany(node => node.Sessions.Select(session => LeaseMapping.ToApi(node.Node, session))) },
            Unanswered = { found.Silent.Select(ApiMapping.ToApi) },
        };
    }

    public override Task<MountResponse> Mount(MountRequest request, ServerCallContext context) => Change(
        Targets(request.TargetsCase == MountRequest.TargetsOneofCase.Container ? request.Container : null, request.Selection), mount: true, force: false, context);

    public override Task<MountResponse> Unmount(UnmountRequest request, ServerCallContext context) => Change(
        Targets(request.TargetsCase == UnmountRequest.TargetsOneofCase.Container ? request.Container : null, request.Selection), mount: false, request.Force, context);

    public override async Task<KillResponse> Kill(KillRequest request, ServerCallContext context)
    {
        if (request.Id.Length == 0)
            throw Invalid("Name the session or the run that is to end; 'crashcart sessions' lists them.");
        var killed = (LeaseQuery.Killed)await Ask(new LeaseQuery.Kill(request.Id), context);
        string caller = PeerCheck.Describe(context.GetHttpContext());
        LeaseLog.Killed(log, request.Id, killed.Sessions.Count, caller);
        return new KillResponse
        {
            Sessions = { killed.Sessions.Select(held => LeaseMapping.ToApi(held.Node, held.Session)) },
            Unanswered = { killed.Silent.Select(ApiMapping.ToApi) },
        };
    }

    private async Task<MountResponse> Change(RunTargets targets, bool mount, bool force, ServerCallContext context)
    {
        string caller = PeerCheck.Describe(context.GetHttpContext());
        switch (await Ask(new LeaseQuery.Change(targets, mount, force, caller), context))
        {
            case LeaseQuery.Changed changed:
                foreach (var one in changed.Mounts)
                    Tell(one, mount, caller);
                return new MountResponse
                {
                    Mounts = { changed.Mounts.Select(LeaseMapping.ToApi) },
                    Unanswered = { changed.Silent.Select(ApiMapping.ToApi) },
                };
            case LeaseQuery.Rejected rejected:
                throw new RpcException(new Status(rejected.NotFound ? StatusCode.NotFound : StatusCode.InvalidArgument, rejected.Message));
            default:
                throw new InvalidOperationException("The fleet's actors gave an answer to another question.");
        }
    }

    private void Tell(ChangedMount changed, bool mount, string caller)
    {
        string where = $"{changed.Target.Node}/{changed.Target.Container.Id}";
        if (changed.Problem.Length > 0)
            LeaseLog.NotChanged(log, where, caller, changed.Problem);
        else if (mount)
            LeaseLog.Mounted(log, changed.LeaseId, where, caller);
        else
            LeaseLog.Unmounted(log, where, caller);
    }

    private static RunTargets Targets(string? container, Selection? selection)
    {
        if (container is { Length: > 0 })
            return RunTargets.One.Parse(container);
        if (selection is null)
            throw Invalid("A mount needs a container or a selection.");
        RequireSelector(selection.Selector);
        return new RunTargets.Selected(selection.Selector, selection.Node);
    }

    private static void RequireSelector(string text)
    {
        if (!Selector.TryParse(text, out _, out string problem))
            throw Invalid($"The selector '{text}' is malformed {problem}.");
    }

    private async Task<object> Ask(object question, ServerCallContext context)
    {
        if (fleet.Actor is not { } actor)
            throw new RpcException(new Status(StatusCode.Unavailable, "The coordinator is joining the cluster; try again in a few seconds."));
        try
        {
            return await actor.Ask<object>(question, Patience, context.CancellationToken);
        }
        catch (AskTimeoutException)
        {
            throw new RpcException(new Status(
                StatusCode.Unavailable, $"The coordinator's actors did not answer within {Patience.TotalSeconds:0} s; its log says why."));
        }
    }

    private static RpcException Invalid(string message) => new(new Status(StatusCode.InvalidArgument, message));
}

internal static partial class LeaseLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Lease}: mounted in {Container}, asked for by {Peer}")]
    public static partial void Mounted(ILogger log, string lease, string container, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "Unmounted from {Container}, asked for by {Peer}")]
    public static partial void Unmounted(ILogger log, string container, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "The mount in {Container} was not changed for {Peer}: {Problem}")]
    public static partial void NotChanged(ILogger log, string container, string peer, string problem);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Id}: {Sessions} sessions end, killed by {Peer}")]
    public static partial void Killed(ILogger log, string id, int sessions, string peer);
}
