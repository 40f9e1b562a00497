using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Policies;
using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Policies;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Api;

/// <summary>The client's API on runs that go on and runs that are kept; what these wrote comes by the API on the fleet.</summary>
internal sealed class RunsService(FleetGate fleet, PolicyGate policy, ILogger<RunsService> log) : Runs.RunsBase
{
    /// <summary>More than the actors' patience with coordinators, and then with nodes, so that a silence is told as such.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public override async Task<ListRunsResponse> ListRuns(ListRunsRequest request, ServerCallContext context)
    {
        var found = await fleet.AskFleet<RunQuery.Found>(new RunQuery.List("") { Access = Access(context, PolicyVerb.List) }, Patience, context.CancellationToken);
        return new ListRunsResponse
        {
            Runs = { found.Runs.Select(run => ToApi(run, isWhole: found.Silent.Count == 0)) },
            Unanswered = { found.Silent.Select(ApiMapping.ToApi) },
        };
    }

    public override async Task<RemoveRunResponse> RemoveRun(RemoveRunRequest request, ServerCallContext context)
    {
        if (request.Id.Length == 0)
            throw RunMapping.Invalid("Name the run that is to be forgotten; 'crashcart runs' lists them.");
        object answer = await fleet.AskFleet<object>(new RunQuery.Remove(request.Id) { Access = Access(context, PolicyVerb.Kill) }, Patience, context.CancellationToken);
        if (answer is RunQuery.Rejected rejected)
            throw new RpcException(new Status(rejected.NotFound ? StatusCode.NotFound : StatusCode.InvalidArgument, rejected.Message));
        var removed = (RunQuery.Removed)answer;
        string caller = PeerCheck.Describe(context.GetHttpContext());
        RunsServiceLog.Removed(log, removed.Run, caller);
        return new RemoveRunResponse { RunId = removed.Run.Value, Unanswered = { removed.Silent.Select(ApiMapping.ToApi) } };
    }

    private RunAccess Access(ServerCallContext context, PolicyVerb verb) => policy.Runs(PolicyGate.Question(context, verb));

    private static RunInfo ToApi(RunFacts run, bool isWhole) => new()
    {
        RunId = run.Id.Value,
        State = State(run, isWhole),
        Tool = run.Tool,
        By = run.By,
        SinceUnixMs = run.Since.ToUnixTimeMilliseconds(),
        Targets = run.Targets,
        Running = run.Running,
        Done = run.Done,
        Failed = run.Failed,
        Others = run.Others,
        Bytes = run.Bytes,
        Kept = run.IsKept,
    };

    private static string State(RunFacts run, bool isWhole) => run switch
    {
        { IsOver: false } => "running",
        { Failed: > 0 } => "failed",
        { Others: 0 } => "done",
        _ => isWhole ? "failed" : "unknown",
    };
}

internal static partial class RunsServiceLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Run} is forgotten, asked for by {Peer}")]
    public static partial void Removed(ILogger log, RunId run, string peer);
}
