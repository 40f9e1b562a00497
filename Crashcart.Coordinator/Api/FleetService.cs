using Akka.Actor;
using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Images;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Audit;
using Crashcart.Coordinator.Auditing;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Images;
using Crashcart.Coordinator.Limits;
using Crashcart.Coordinator.Policies;
using Crashcart.Coordinator.Recordings;
using Crashcart.Coordinator.Streams;
using Grpc.Core;
using RunEvent = Crashcart.Api.RunEvent;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Api;

/// <summary>The client's API on the fleet's actors.</summary>
internal sealed class FleetService(
    FleetGate fleet, PolicyGate policy, RunOwners owners, UserUsage usage, ImageDesk images, StreamTickets tickets, AuditLog audit,
    RecordingStore recordings, TimeProvider time, ILogger<FleetService> log, ILogger<RecordingStore> recordingLog) : Fleet.FleetBase
{
    /// <summary>More than a node's patience, so that its silence is told as such.</summary>
    private static readonly TimeSpan FarewellPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(8);

    public override async Task<ListNodesResponse> ListNodes(ListNodesRequest request, ServerCallContext context)
    {
        var nodes = await Ask<FleetQuery.Nodes>(new FleetQuery.ListNodes(), context.CancellationToken);
        PolicyQuestion question = PolicyGate.Question(context, PolicyVerb.Nodes);
        return new ListNodesResponse { Nodes = { nodes.All.Where(node => policy.Allows(question with { Node = node.Name })).Select(ApiMapping.ToApi) } };
    }

    public override async Task<ListContainersResponse> ListContainers(ListContainersRequest request, ServerCallContext context)
    {
        RunMapping.RequireSelector(request.Selector);
        var query = new FleetQuery.ListContainers(request.Selector, request.Node)
        {
            Filter = new ContainerFilter(request.Name, request.Image, request.Runtime),
            Access = policy.RequireSomewhere(context, PolicyGate.Question(context, PolicyVerb.List)),
        };
        var found = await Ask<FleetQuery.Containers>(query, context.CancellationToken);
        return new ListContainersResponse
        {
            Containers = { found.All.Select(ApiMapping.ToApi) },
            Unanswered = { found.Silent.Select(ApiMapping.ToApi) },
        };
    }

    public override async Task<CordonNodeResponse> CordonNode(CordonNodeRequest request, ServerCallContext context)
    {
        if (request.Drain && !request.Cordoned)
            throw RunMapping.Invalid("A node that is drained is cordoned, too.");
        policy.Require(context, PolicyGate.Question(context, PolicyVerb.Cordon) with { Node = request.Node });
        var grace = request.Drain ? TimeSpan.FromMilliseconds(request.GracePeriodMs) : (TimeSpan?)null;
        string caller = PeerCheck.Describe(context.GetHttpContext());
        NodeLog.Cordon(log, request.Node, request.Cordoned, request.Drain, caller);
        var done = await Ask<FleetQuery.Cordoned>(new FleetQuery.Cordon(request.Node, request.Cordoned, grace), context.CancellationToken);
        if (done.Problem.Length > 0)
            throw new RpcException(new Status(done.IsKnown ? StatusCode.Unavailable : StatusCode.NotFound, done.Problem));
        return new CordonNodeResponse();
    }

    public override async Task Run(IAsyncStreamReader<RunInput> fromClient, IServerStreamWriter<RunEvent> toClient, ServerCallContext context)
    {
        if (!await FirstMessage.ComesAsync(fromClient, context.CancellationToken) || fromClient.Current.Start is not { } start)
            throw RunMapping.Invalid("The first message of a run must be its request.");
        string caller = PeerCheck.Describe(context.GetHttpContext());
        if (start.TargetsCase == RunRequest.TargetsOneofCase.Replay)
        {
            RunPipe replay = Pipe(RunId.New(), start, context);
            RunLog.Reads(log, start.Replay.Run, caller);
            var plan = new ReplayPlan(start.Replay.Run, start.Replay.Follow, start.Replay.EndsOnly)
            {
                Access = policy.Runs(PolicyGate.Question(context, PolicyVerb.Exec)),
            };
            await Carry(replay, new RunQuery.StartReplay(plan, replay), stdin: false, fromClient, toClient, context.CancellationToken);
            return;
        }

        PolicyQuestion question = PolicyGate.Question(context, PolicyVerb.Exec);
        RunPlan run = RunMapping.ToPlan(start, question.Subject.Name);
        RunProfile profile = policy.Profile(start.Tool.Profile);
        run.Tool.Definition = profile.ToWire();
        question = RunMapping.ToQuestion(question, start, profile);
        run = run with { Access = policy.RequireSomewhere(context, question, start.Image.Length == 0 ? ImageName.Default.Value : null) };
        run = run with { Image = await images.ResolveAsync(start.Image, context.CancellationToken) };
        RunLog.Starts(log, run.Id, run.Tool.Argv[0], caller);
        RunPipe pipe = Pipe(run.Id, start, context, new RunRecorder(recordings, run.Access, context.Caller(), time, recordingLog));
        string? user = ConnectionRoom.UserOf(context.GetHttpContext());
        run = run with { FanOut = run.FanOut with { Parallel = usage.Parallel(user, run.FanOut.Parallel) } };
        var port = new LimitedRunPort(pipe, usage, user);
        owners.Add(run.Id, question.Subject);
        try
        {
            await Carry(pipe, new FleetQuery.StartRun(run, port), run.Tool.Stdin, fromClient, toClient, context.CancellationToken);
        }
        finally
        {
            owners.Remove(run.Id);
            if (run.Keep is not null && pipe.Run.IsCompleted)
                _ = port.DisposeAfterAsync(await pipe.Run);
            else
                port.Dispose();
        }
        RunLog.Ended(log, run.Id);
    }

    private RunPipe Pipe(RunId run, RunRequest request, ServerCallContext context, RunRecorder? recorder = null) =>
        new(run, tickets, fleet.StreamEndpoint, images.DefaultAsync, new RunAudit(audit, context.Caller(), request, run))
        {
            MaxBytes = request.MaxBytes,
            Recorder = recorder,
        };

    /// <summary>Between a run and its client, until one of them ends.</summary>
    private async Task Carry(
        RunPipe pipe, object start, bool stdin, IAsyncStreamReader<RunInput> fromClient, IServerStreamWriter<RunEvent> toClient, CancellationToken left)
    {
        // Not to be cancelled: a run that began must be known here, to be ended from here.
        var accepted = await Ask<FleetQuery.RunAccepted>(start, CancellationToken.None);
        pipe.Begin(accepted.Run);
        using var over = CancellationTokenSource.CreateLinkedTokenSource(left);
        Task input = CarryInput(pipe, stdin, fromClient, over);
        try
        {
            // A write that is cancelled breaks its call off, and the client would never learn the reason.
            await foreach (RunItem item in pipe.Items(over.Token))
                await toClient.WriteAsync(ApiMapping.ToApi(item), CancellationToken.None);
            // A connection that is closed takes from its client what was received and not yet read: the client's end of
            // input says that it has read all.
            await Task.WhenAny(input, Task.Delay(FarewellPatience, over.Token));
        }
        catch (OperationCanceledException) when (left.IsCancellationRequested)
        {
            RunLog.ClientLeft(log, pipe.Id);
        }
        finally
        {
            accepted.Run.Tell(new Run.ClientLeft());
            pipe.CloseAll();
            await over.CancelAsync();
            await input;
        }
    }

    /// <summary>
    /// What the client sends goes to every session; standard input at the pace of the slowest. What cannot be read ends the run,
    /// and the call with the reason.
    /// </summary>
    private static async Task CarryInput(RunPipe pipe, bool stdin, IAsyncStreamReader<RunInput> fromClient, CancellationTokenSource over)
    {
        try
        {
            while (await fromClient.MoveNext(over.Token))
            {
                RunInput input = fromClient.Current;
                if (input.InputCase == RunInput.InputOneofCase.Begin)
                    (await pipe.Run).Tell(new Run.Begin());
                else
                    await pipe.UnderWay.WaitAsync(over.Token);
                bool isStdin = input.InputCase is RunInput.InputOneofCase.Stdin or RunInput.InputOneofCase.StdinEof;
                if (ApiMapping.ToFrame(input) is not { } frame || (isStdin && !stdin))
                    continue;
                foreach (SessionPipe session in pipe.Sessions)
                {
                    if (isStdin)
                        await session.SendInput(frame, over.Token);
                    else
                        session.Resize(frame);
                }
            }
        }
        catch (RpcException) when (!over.IsCancellationRequested)
        {
            await over.CancelAsync();
            throw;
        }
        catch (Exception gone) when (gone is OperationCanceledException or IOException or RpcException)
        {
            // The call is over; the output side ends the run.
        }
    }

    public override Task<SignalRunResponse> SignalRun(SignalRunRequest request, ServerCallContext context)
    {
        if (request.Signal is < 1 or > 64)
            throw RunMapping.Invalid($"There is no signal {request.Signal}; Linux has 1 to 64.");
        PolicyQuestion kill = PolicyGate.Question(context, PolicyVerb.Kill);
        if (!owners.Owns(kill.Subject, request.RunId))
            policy.Require(context, kill);
        fleet.Actor?.Tell(new FleetQuery.SignalRun(request.RunId, new Run.Signal(request.Signal)));
        return Task.FromResult(new SignalRunResponse());
    }

    private Task<T> Ask<T>(object question, CancellationToken cancellation) => fleet.AskFleet<T>(question, AnswerPatience, cancellation);

}

internal static partial class NodeLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Node {Node}: cordoned {Cordoned}, drained {Drained}, asked for by {Peer}")]
    public static partial void Cordon(ILogger log, string node, bool cordoned, bool drained, string peer);
}

internal static partial class RunLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "{Run} starts: {Tool}, asked for by {Peer}")]
    public static partial void Starts(ILogger log, RunId run, string tool, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Run} is read by {Peer}")]
    public static partial void Reads(ILogger log, string run, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Run}: its client left")]
    public static partial void ClientLeft(ILogger log, RunId run);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Run} ended, or goes on without its client")]
    public static partial void Ended(ILogger log, RunId run);
}
