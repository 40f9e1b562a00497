using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Limits;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Identity;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Limits;

/// <summary>What one user may have at one time, and that others do not notice when he has it.</summary>
public sealed class LimitTests : IAsyncLifetime
{
    private static readonly UserLimits Few = UserLimits.Default with { Connections = 3 };

    private TestAuthority Authority { get; } = new();

    private CoordinatorSettings Settings { get; set; } = null!;

    private TestCoordinator Coordinator { get; set; } = null!;

    private MemberIdentity Identity { get; set; } = null!;

    private PlayedNode Alpha { get; set; } = null!;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        await Alpha.DisposeAsync();
        Identity.Dispose();
        await Coordinator.DisposeAsync();
        Authority.Dispose();
    }

    private async Task Begin(UserLimits limits)
    {
        Settings = TestCoordinator.Settings(Authority, "c1") with { Limits = limits };
        Coordinator = await TestCoordinator.StartAsync(Settings);
        Identity = Authority.Open(PeerRole.Node, "alpha");
        Alpha = new PlayedNode(Identity, "alpha", PlayedNode.Container("web-1", "app=web"), PlayedNode.Container("web-2", "app=web"));
        await Alpha.JoinAsync(Coordinator.ClusterAddress);
        await Coordinator.NodesAsync(nodes => nodes.Any(node => node.State == "up" && node.Problem.Length == 0));
    }

    [Fact]
    public async Task A_user_with_as_many_calls_as_he_may_is_told_so_until_one_ends()
    {
        await Begin(Few with { Calls = 2 });
        using GrpcChannel alice = Dial("alice");
        using TestRun first = await OpenRun(alice);
        using TestRun second = await OpenRun(alice);

        Assert.Equal(
            "user alice has 2 calls already, the most at one time: try again when one has ended, or raise the coordinator's --max-calls-per-user.",
            (await Refused(alice)).Detail);

        using GrpcChannel bob = Dial("bob");
        Assert.Single((await new Fleet.FleetClient(bob).ListNodesAsync(new ListNodesRequest())).Nodes);
        await FinishAsync(first);
        Assert.Single((await new Fleet.FleetClient(alice).ListNodesAsync(new ListNodesRequest())).Nodes);
    }

    [Fact]
    public async Task A_user_with_as_many_runs_as_he_may_is_told_so_until_one_ends()
    {
        await Begin(Few with { Runs = 1 });
        using GrpcChannel alice = Dial("alice");
        using TestRun first = await OpenRun(alice);

        using (TestRun second = TestRun.Start(new Fleet.FleetClient(alice), TestRun.In("web-1"), CancellationToken.None))
        {
            Status refusal = await second.FailureAsync();
            Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
            Assert.StartsWith("user alice has 1 run already, the most at one time: ", refusal.Detail);
        }

        await FinishAsync(first);
        using TestRun third = await OpenRun(alice);
        await FinishAsync(third);
    }

    [Fact]
    public async Task A_user_with_as_many_sessions_as_he_may_starts_no_more_until_one_ends()
    {
        await Begin(Few with { Sessions = 1 });
        using GrpcChannel alice = Dial("alice");
        using TestRun first = await OpenRun(alice);

        using (TestRun second = await OpenRun(alice))
            Assert.StartsWith("user alice has 1 session already, the most at one time: ", (await second.SessionEndedAsync()).Failure.Message);

        await FinishAsync(first);
        // Of one run the others wait.
        using TestRun both = TestRun.Start(new Fleet.FleetClient(alice), TestRun.Where("app=web"), CancellationToken.None);
        await both.StartedAsync();
        for (int left = 2; left > 0; left--)
        {
            using PlayedStream tool = await Alpha.ToolAsync();
            await both.NextAsync(RunEvent.EventOneofCase.SessionStarted);
            await tool.ExitAsync(0);
            await both.SessionEndedAsync();
        }
        await both.EndedAsync();
    }

    [Fact]
    public async Task A_run_that_goes_on_without_its_client_counts_until_it_is_over()
    {
        await Begin(Few with { Runs = 1 });
        using GrpcChannel alice = Dial("alice");
        RunRequest request = TestRun.In("web-1");
        request.Detach = true;
        using TestRun first = TestRun.Start(new Fleet.FleetClient(alice), request, CancellationToken.None);
        await first.StartedAsync();
        await first.EndedAsync();
        PlayedSession session = await Alpha.SessionAsync();
        using (TestRun second = TestRun.Start(new Fleet.FleetClient(alice), TestRun.In("web-1"), CancellationToken.None))
            Assert.StartsWith("user alice has 1 run already", (await second.FailureAsync()).Detail);

        session.Tell(new SessionOver { SessionId = session.Start.SessionId, Ticket = session.Start.Ticket, End = new SessionEnd { ExitCode = 0 } });

        // Nobody waits for it: its coordinator forgets it in its own time.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await MayRun(alice))
            patience.Token.ThrowIfCancellationRequested();
    }

    [Fact]
    public async Task Root_by_the_socket_may_have_any_number()
    {
        await Begin(new UserLimits(1, 1, 1, 1));
        var runs = new List<TestRun>();
        for (int i = 0; i < 5; i++)
        {
            runs.Add(Coordinator.Run(TestRun.In("web-1")));
            await runs[i].StartedAsync();
        }

        Assert.Single((await Coordinator.Client.ListNodesAsync(new ListNodesRequest())).Nodes);
        runs.ForEach(run => run.Dispose());
    }

    [Fact]
    public async Task A_user_with_too_many_connections_is_told_so_on_a_few_more_and_then_they_are_closed()
    {
        await Begin(Few);
        string directory = Authority.Issue(PeerRole.User, "carol");
        List<GrpcChannel> channels = [.. Enumerable.Range(0, 3 + 16 + 1).Select(_ => DialAs(directory))];
        foreach (GrpcChannel channel in channels.Take(3))
            await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest());
        foreach (GrpcChannel channel in channels.Skip(3).Take(16))
            Assert.StartsWith("user carol has 3 connections already", (await Refused(channel)).Detail);

        await Assert.ThrowsAsync<RpcException>(async () => await new Fleet.FleetClient(channels[^1]).ListNodesAsync(new ListNodesRequest()));
        await new Fleet.FleetClient(channels[0]).ListNodesAsync(new ListNodesRequest());
        channels.ForEach(channel => channel.Dispose());
    }

    [Fact]
    public async Task A_request_of_one_message_is_not_read_beyond_its_bound()
    {
        await Begin(Few);
        var request = new ListContainersRequest { Selector = new string('a', CallGate.MaxRequest) };

        RpcException refusal = await Assert.ThrowsAsync<RpcException>(async () => await Coordinator.Client.ListContainersAsync(request));

        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        Assert.Equal($"A request may have {CallGate.MaxRequest} bytes, and this one has more.", refusal.Status.Detail);
    }

    private GrpcChannel Dial(string name) => DialAs(Authority.Issue(PeerRole.User, name));

    private GrpcChannel DialAs(string directory) =>
        TestAuthority.Dial($"https://{Settings.Listen}", IdentityFiles.Read(directory).Certificate, new Trust(Authority.Authority.Certificate, null));

    private static async Task<Status> Refused(GrpcChannel channel)
    {
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(async () => await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest()));
        Assert.Equal(StatusCode.ResourceExhausted, refusal.StatusCode);
        return refusal.Status;
    }

    private static async Task<bool> MayRun(GrpcChannel channel)
    {
        using TestRun run = TestRun.Start(new Fleet.FleetClient(channel), TestRun.In("web-1"), CancellationToken.None);
        try
        {
            await run.StartedAsync();
            return true;
        }
        catch (RpcException refusal) when (refusal.StatusCode == StatusCode.ResourceExhausted)
        {
            return false;
        }
    }

    private static async Task<TestRun> OpenRun(GrpcChannel channel)
    {
        TestRun run = TestRun.Start(new Fleet.FleetClient(channel), TestRun.In("web-1"), CancellationToken.None);
        await run.StartedAsync();
        return run;
    }

    private async Task FinishAsync(TestRun run)
    {
        using PlayedStream tool = await Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await tool.ExitAsync(0);
        await run.SessionEndedAsync();
        await run.EndedAsync();
    }
}
