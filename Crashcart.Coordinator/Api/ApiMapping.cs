using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Streams;
using Grpc.Core;
using ApiHeldImage = Crashcart.Api.HeldImage;
using ApiNode = Crashcart.Api.Node;
using ApiSessionWaits = Crashcart.Api.SessionWaits;
using RunEvent = Crashcart.Api.RunEvent;

namespace Crashcart.Coordinator.Api;

/// <summary>Between the API's messages and the fleet's own.</summary>
internal static class ApiMapping
{
    public static ApiNode ToApi(NodeStatus status)
    {
        var node = new ApiNode
        {
            Name = status.Name,
            Address = status.Address.Port is { } port ? $"{status.Address.Host}:{port}" : "",
            State = status.State,
            Problem = status.Problem,
        };
        if (status.Description is not { } d)
            return node;
        node.Version = d.Version;
        node.Kernel = d.Kernel;
        node.Architecture = d.Architecture;
        node.Containers = d.Containers;
        node.Mounts = d.Mounts;
        node.Sessions = d.Sessions;
        node.Reclaimed = d.Reclaimed;
        node.Adopted = d.Adopted;
        node.ImageDigests.Add(d.ImageDigests);
        node.Images.Add(d.Images.Select(image => new ApiHeldImage
        {
            Digest = image.Digest,
            Size = image.Size,
            Own = image.Own,
            Users = { image.Users },
            LoopDevice = image.LoopDevice,
        }));
        node.Runtimes.Add(d.Runtimes.Select(r => new Runtime { Name = r.Name, Version = r.Version, Problem = r.Problem }));
        return node;
    }

    public static Container ToApi(RunTarget target) => new()
    {
        Node = target.Node,
        Id = target.Container.Id,
        Name = target.Container.Name,
        Image = target.Container.Image,
        State = target.Container.State,
        Runtime = target.Container.Runtime,
        Labels = { target.Container.Labels },
        StartedUnixMs = target.Container.StartedUnixMs,
    };

    public static Unanswered ToApi(SilentNode silent) => new() { Node = silent.Node, Message = silent.Problem };

    public static ToolDescription ToWire(Tool tool) => new()
    {
        Argv = { tool.Argv },
        User = tool.User,
        WorkingDirectory = tool.WorkingDirectory,
        Environment = { tool.Environment },
        Terminal = tool.Terminal is { } size ? new TerminalDescription { Rows = size.Rows, Columns = size.Columns } : null,
        Stdin = tool.Stdin,
        Profile = tool.Profile,
        CapAdd = { tool.CapAdd },
        CapDrop = { tool.CapDrop },
        Shared = tool.Shared,
        MemoryLimit = tool.MemoryLimit,
        NanoCpus = tool.NanoCpus,
        Explain = tool.Explain,
    };

    /// <summary>Null for what a client may not send after its first message.</summary>
    public static CoordinatorFrame? ToFrame(RunInput input) => input.InputCase switch
    {
        RunInput.InputOneofCase.Stdin => new CoordinatorFrame { Stdin = input.Stdin },
        RunInput.InputOneofCase.StdinEof => new CoordinatorFrame { StdinClosed = new StdinClosed() },
        RunInput.InputOneofCase.Resize =>
            new CoordinatorFrame { Resize = new WindowSize { Rows = input.Resize.Rows, Columns = input.Resize.Columns } },
        _ => null,
    };

    /// <exception cref="RpcException">The run was rejected.</exception>
    public static RunEvent ToApi(RunItem item) => item switch
    {
        RunItem.Output output => new RunEvent
        {
            Output = new Output { Target = (uint)output.Target, Stderr = output.Stderr, Data = output.Data },
        },
        RunItem.Event { Happened: Actors.Fleet.RunEvent.Started started } => new RunEvent
        {
            Started = new RunStarted
            {
                RunId = started.Run.Value,
                Targets = { started.Targets.Select(ToApi) },
                Unanswered = { started.Silent.Select(ToApi) },
                Matched = (uint)started.Matched,
            },
        },
        RunItem.Event { Happened: Actors.Fleet.RunEvent.Joined joined } => new RunEvent
        {
            Joined = new TargetsJoined { Targets = { joined.Targets.Select(ToApi) } },
        },
        RunItem.Event { Happened: Actors.Fleet.RunEvent.SessionWaits waits } => new RunEvent
        {
            SessionWaits = new ApiSessionWaits { Target = (uint)waits.Target, Image = waits.Image, Received = waits.Received, Size = waits.Size },
        },
        RunItem.Event { Happened: Actors.Fleet.RunEvent.SessionStarted started } => new RunEvent
        {
            SessionStarted = new SessionStarted { Target = (uint)started.Target, SessionId = started.Session.Value },
        },
        RunItem.Event { Happened: Actors.Fleet.RunEvent.SessionEnded ended } => new RunEvent { SessionEnded = ToApi(ended) },
        RunItem.Event { Happened: Actors.Fleet.RunEvent.Ended ended } => new RunEvent { Ended = new RunEnded { Missing = { ended.Missing.Select(ToApi) } } },
        RunItem.Event { Happened: Actors.Fleet.RunEvent.Rejected rejected } => throw new RpcException(
            new Status(rejected.NotFound ? StatusCode.NotFound : StatusCode.InvalidArgument, rejected.Message)),
        _ => throw new ArgumentOutOfRangeException(nameof(item)),
    };

    private static SessionEnded ToApi(Actors.Fleet.RunEvent.SessionEnded ended) => ended.Outcome switch
    {
        SessionOutcome.Exited exited => new SessionEnded { Target = (uint)ended.Target, ExitCode = exited.Code, Why = exited.Why },
        SessionOutcome.GoesOn => new SessionEnded { Target = (uint)ended.Target, GoesOn = new GoesOn() },
        SessionOutcome.Failure failure => new SessionEnded
        {
            Target = (uint)ended.Target,
            Failure = new Failure { ExitCode = failure.Code, Message = failure.Message },
        },
        _ => throw new ArgumentOutOfRangeException(nameof(ended)),
    };
}
