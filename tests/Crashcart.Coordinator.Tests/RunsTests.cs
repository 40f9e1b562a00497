using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;
using KeptEnd = Crashcart.Actors.Protocol.SessionEnd;
using RunEvent = Crashcart.Api.RunEvent;

namespace Crashcart.Coordinator.Tests;

/// <summary>Runs that go on without their clients, and what nodes keep of runs.</summary>
[Collection(nameof(SmallFleet))]
public sealed class RunsTests(SmallFleet fleet)
{
    private Runs.RunsClient Client => fleet.Coordinator.Runs;

    [Fact]
    public async Task A_detached_run_is_over_for_its_client_when_it_has_begun_and_goes_on_until_it_is_killed()
    {
        RunRequest request = TestRun.In("web-1");
        request.Detach = true;
        using TestRun run = fleet.Coordinator.Run(request);
        string id = (await run.StartedAsync()).RunId;
        await run.EndedAsync();

        PlayedSession session = await fleet.Alpha.SessionAsync();
        Assert.Equal(("local:0", "web-1", 64 << 20), (session.Start.Keep.By, session.Start.Keep.Container, session.Start.Keep.MaxBytes));
        session.Tell(new SessionRuns { SessionId = session.Start.SessionId, Ticket = session.Start.Ticket });
        RunInfo info = await ListedAsync(id);
        Assert.Equal(("running", "tool", "local:0", 1, 1, true), (info.State, info.Tool, info.By, info.Targets, info.Running, info.Kept));

        Assert.Equal(id, (await fleet.Coordinator.Leases.KillAsync(new KillRequest { Id = id[..^2] })).RunId);

        await session.Ended;
        // Nobody waits for it: its coordinator forgets it in its own time.
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while ((await Client.ListRunsAsync(new ListRunsRequest(), cancellationToken: patience.Token)).Runs.Any(one => one.RunId == id))
            await Task.Yield();
    }

    [Fact]
    public async Task A_detached_run_is_over_when_its_nodes_say_so()
    {
        RunRequest request = TestRun.In("web-1");
        request.Detach = true;
        using TestRun run = fleet.Coordinator.Run(request);
        string id = (await run.StartedAsync()).RunId;
        PlayedSession session = await fleet.Alpha.SessionAsync();
        fleet.Alpha.Keep(Kept(id, new KeptEnd { ExitCode = 3 }));

        session.Tell(new SessionOver { SessionId = session.Start.SessionId, Ticket = session.Start.Ticket, End = new KeptEnd { ExitCode = 3 } });

        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        RunInfo info;
        do
            info = await ListedAsync(id, patience.Token);
        while (info.State == "running");
        Assert.Equal(("failed", 1, 0), (info.State, info.Failed, info.Others));
    }

    [Fact]
    public async Task What_nodes_keep_of_a_run_comes_as_it_would_have_come_then()
    {
        fleet.Alpha.Keep(Kept("run-00000000a1", new KeptEnd { ExitCode = 3 }));
        using TestRun reading = Read("00000000a1");
        RunStarted started = await reading.StartedAsync();
        Assert.Equal(("run-00000000a1", "alpha", "web-1"), (started.RunId, started.Targets.Single().Node, started.Targets.Single().Name));
        using PlayedStream kept = await fleet.Alpha.ToolAsync();
        await reading.NextAsync(RunEvent.EventOneofCase.SessionStarted);

        await kept.StdoutAsync("out"u8.ToArray());
        Assert.Equal("out", (await reading.NextAsync(RunEvent.EventOneofCase.Output)).Output.Data.ToStringUtf8());
        await kept.ExitAsync(3);

        Assert.Equal(3, (await reading.SessionEndedAsync()).ExitCode);
        await reading.EndedAsync();
    }

    [Theory]
    [InlineData("run-ffffffffff", StatusCode.NotFound, "There is no run 'run-ffffffffff'")]
    [InlineData("00000000b", StatusCode.InvalidArgument, "the beginning of 2 runs")]
    public async Task A_run_that_is_not_there_or_not_the_only_one_is_neither_read_nor_forgotten(string id, StatusCode status, string sentence)
    {
        fleet.Alpha.Keep(Kept("run-00000000b1", new KeptEnd()));
        fleet.Beta.Keep(Kept("run-00000000b2", new KeptEnd()));
        using TestRun reading = Read(id);

        Status unread = await reading.FailureAsync();
        Status unforgotten = (await Assert.ThrowsAsync<RpcException>(() => Client.RemoveRunAsync(new RemoveRunRequest { Id = id }).ResponseAsync)).Status;

        Assert.Equal((status, status), (unread.StatusCode, unforgotten.StatusCode));
        Assert.Contains(sentence, unread.Detail, StringComparison.Ordinal);
        Assert.Contains(sentence, unforgotten.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_that_is_forgotten_is_no_more()
    {
        fleet.Alpha.Keep(Kept("run-00000000c1", new KeptEnd()));
        fleet.Beta.Keep(Kept("run-00000000c1", new KeptEnd()));
        Assert.Equal(2, (await ListedAsync("run-00000000c1")).Done);

        RemoveRunResponse removed = await Client.RemoveRunAsync(new RemoveRunRequest { Id = "run-00000000c1" });

        Assert.Equal(("run-00000000c1", 0), (removed.RunId, removed.Unanswered.Count));
        Assert.DoesNotContain((await Client.ListRunsAsync(new ListRunsRequest())).Runs, run => run.RunId == "run-00000000c1");
    }

    private TestRun Read(string id) => fleet.Coordinator.Run(new RunRequest { Replay = new Replay { Run = id } });

    private async Task<RunInfo> ListedAsync(string id, CancellationToken cancellation = default) =>
        (await Client.ListRunsAsync(new ListRunsRequest(), cancellationToken: cancellation)).Runs.Single(run => run.RunId == id);

    private static KeptRun Kept(string id, KeptEnd end) => new()
    {
        RunId = id,
        Tool = "tool",
        By = "local:0",
        Targets = 1,
        Done = end.ExitCode == 0 ? 1 : 0,
        Failed = end.ExitCode == 0 ? 0 : 1,
        Sessions = { new KeptSession { SessionId = $"{id}-0", RunId = id, ContainerId = "web-1", Container = "web-1", Targets = 1, End = end } },
    };
}
