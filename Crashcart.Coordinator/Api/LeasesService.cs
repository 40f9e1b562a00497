using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Images;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Auditing;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Images;
using Crashcart.Coordinator.Policies;
using Grpc.Core;
using ChangedMount = Crashcart.Actors.Fleet.ChangedMount;
using MountWaits = Crashcart.Api.MountWaits;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Api;

/// <summary>The client's API on what is held: mounts and sessions.</summary>
internal sealed class LeasesService(FleetGate fleet, PolicyGate policy, ImageDesk images, ILogger<LeasesService> log) : Leases.LeasesBase
{
    /// <summary>More than the actors' patience with the nodes, so that a node's silence is told as such.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    public override async Task<ListLeasesResponse> ListLeases(ListLeasesRequest request, ServerCallContext context)
    {
        RunMapping.RequireSelector(request.Selector);
        var found = await Ask<LeaseQuery.Found>(new LeaseQuery.List(request.Selector, request.Node) { Access = Access(context, PolicyVerb.List) }, context);
        return new ListLeasesResponse
        {
            Mounts = { found.Nodes.SelectMany(node => node.Mounts.Select(mount => LeaseMapping.ToApi(node.Node, mount))) },
            Sessions = { found.Nodes.SelectMany(node => node.Sessions.Select(session => LeaseMapping.ToApi(node.Node, session))) },
            Unanswered = { found.Silent.Select(ApiMapping.ToApi) },
        };
    }

    public override async Task Mount(MountRequest request, IServerStreamWriter<MountEvent> toClient, ServerCallContext context)
    {
        RunTargets targets = RunMapping.ToTargets(request.TargetsCase == MountRequest.TargetsOneofCase.Container ? request.Container : null, request.Selection);
        string caller = PeerCheck.Describe(context.GetHttpContext());
        TargetAccess access = policy.RequireSomewhere(
            context,
            PolicyGate.Question(context, PolicyVerb.Mount) with { Image = RunMapping.ToImage(request.Image) },
            request.Image.Length == 0 ? ImageName.Default.Value : null);
        WantedImage? image = await images.ResolveAsync(request.Image, context.CancellationToken);
        var pipe = new MountPipe(images, context.CancellationToken);
        // An image may take long to come; the actors end by themselves.
        Task<object> answer = fleet.AskFleet<object>(
            new LeaseQuery.Mount(targets, caller, image, pipe, request.Path) { Access = access, Origin = Origin(context, request.Reason) }, Timeout.InfiniteTimeSpan, context.CancellationToken);
        try
        {
            await foreach (MountWaits waits in pipe.UntilAsync(answer))
                await toClient.WriteAsync(new MountEvent { Waits = waits }, context.CancellationToken);
            await toClient.WriteAsync(new MountEvent { Done = Changed(await answer, mount: true, caller) }, context.CancellationToken);
        }
        catch (OperationCanceledException) when (context.CancellationToken.IsCancellationRequested)
        {
            LeaseLog.ClientLeft(log, caller);
        }
    }

    public override async Task<MountResponse> Unmount(UnmountRequest request, ServerCallContext context)
    {
        RunTargets targets = RunMapping.ToTargets(request.TargetsCase == UnmountRequest.TargetsOneofCase.Container ? request.Container : null, request.Selection);
        string caller = PeerCheck.Describe(context.GetHttpContext());
        var unmount = new LeaseQuery.Unmount(targets, caller, request.Force, request.Path)
        {
            Access = Access(context, PolicyVerb.Unmount),
            Origin = Origin(context, request.Reason),
        };
        return Changed(await Ask<object>(unmount, context), mount: false, caller);
    }

    public override async Task<KillResponse> Kill(KillRequest request, ServerCallContext context)
    {
        if (request.Id.Length == 0)
            throw Invalid("Name the session or the run that is to end; 'crashcart sessions' lists them.");
        string caller = PeerCheck.Describe(context.GetHttpContext());
        PolicyQuestion question = PolicyGate.Question(context, PolicyVerb.Kill);
        object answer = await Ask<object>(
            new LeaseQuery.Kill(request.Id, caller) { Access = policy.Access(question), Runs = policy.Runs(question) }, context);
        if (answer is LeaseQuery.Rejected rejected)
            throw Invalid(rejected.Message);
        var killed = (LeaseQuery.Killed)answer;
        if (killed is { Run: null, Sessions.Count: 0 })
            policy.RequireSomewhere(context, question);
        LeaseLog.Killed(log, request.Id, killed.Sessions.Count, caller);
        return new KillResponse
        {
            Sessions = { killed.Sessions.Select(held => LeaseMapping.ToApi(held.Node, held.Session)) },
            Unanswered = { killed.Silent.Select(ApiMapping.ToApi) },
            RunId = killed.Run?.Value ?? "",
        };
    }

    private MountResponse Changed(object answer, bool mount, string caller)
    {
        switch (answer)
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

    private TargetAccess Access(ServerCallContext context, PolicyVerb verb) => policy.RequireSomewhere(context, PolicyGate.Question(context, verb));

    private static Origin Origin(ServerCallContext context, string reason) => Callers.ToOrigin(context.Caller(), reason);

    private Task<T> Ask<T>(object question, ServerCallContext context) => fleet.AskFleet<T>(question, Patience, context.CancellationToken);

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

    [LoggerMessage(Level = LogLevel.Information, Message = "{Peer} left while its mounts waited")]
    public static partial void ClientLeft(ILogger log, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Id}: {Sessions} sessions end, killed by {Peer}")]
    public static partial void Killed(ILogger log, string id, int sessions, string peer);
}
