using System.Security.Cryptography;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;

namespace Crashcart.Coordinator.Tests;

/// <summary>What tools and clients send each other.</summary>
[Collection(nameof(SmallFleet))]
public sealed class BytesTests(SmallFleet fleet)
{
    private const int Chunk = 32 * 1024;

    /// <summary>More than sockets, windows and channels hold together.</summary>
    private const int Plenty = 64 << 20;

    [Fact]
    public async Task Fifty_megabytes_of_output_arrive_byte_for_byte_with_the_exit_status_after_them()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        var sending = SendAsync(tool, 50_000_000);

        var (stdout, stderr) = await ReadToExitAsync(run);
        Assert.Equal(await sending, (stdout, stderr));
        await run.EndedAsync();
    }

    [Fact]
    public async Task A_client_that_does_not_read_stalls_the_tool_and_loses_nothing()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        var sent = 0L;
        var sending = SendAsync(tool, Plenty, at => Volatile.Write(ref sent, at));
        await StalledAsync(() => Volatile.Read(ref sent));
        Assert.InRange(Volatile.Read(ref sent), 1, Plenty / 2);

        var (stdout, stderr) = await ReadToExitAsync(run);
        Assert.Equal(await sending, (stdout, stderr));
    }

    [Fact]
    public async Task Tools_that_are_stalled_do_not_hold_up_others_of_the_same_node()
    {
        var stalled = new List<TestRun>();
        for (var n = 0; n < 4; n++)
        {
            var run = fleet.Coordinator.Run(TestRun.In("web-1"));
            stalled.Add(run);
            await run.StartedAsync();
            var sent = 0L;
            _ = SendAsync(await fleet.Alpha.ToolAsync(), Plenty, at => Volatile.Write(ref sent, at)).ContinueWith(t => t.Exception, TaskScheduler.Default);
            await StalledAsync(() => Volatile.Read(ref sent));
        }

        using var quick = fleet.Coordinator.Run(TestRun.In("db-1"));
        await quick.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        var sending = SendAsync(tool, 1_000_000);
        var read = await ReadToExitAsync(quick);
        Assert.Equal(await sending, read);
        stalled.ForEach(run => run.Dispose());
    }

    [Fact]
    public async Task Input_arrives_byte_for_byte_and_then_its_end()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1", stdin: true));
        // Before the run has even begun: nothing of it is lost.
        var sending = SendInputAsync(run, 10_000_000);
        await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        CoordinatorFrame? frame;
        while ((frame = await tool.NextAsync())?.FrameCase == CoordinatorFrame.FrameOneofCase.Stdin)
            hash.AppendData(frame.Stdin.Span);

        Assert.Equal(CoordinatorFrame.FrameOneofCase.StdinClosed, frame?.FrameCase);
        Assert.Equal(await sending, Convert.ToHexString(hash.GetHashAndReset()));
        await tool.ExitAsync(0);
    }

    [Fact]
    public async Task A_tool_that_does_not_read_stalls_the_clients_input()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1", stdin: true));
        await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        var sent = 0L;
        _ = SendInputAsync(run, Plenty, at => Volatile.Write(ref sent, at)).ContinueWith(t => t.Exception, TaskScheduler.Default);
        // The node's call has a window of its own, but the tool behind it would not read.
        await StalledAsync(() => Volatile.Read(ref sent));
        Assert.InRange(Volatile.Read(ref sent), 1, Plenty / 2);
    }

    [Fact]
    public async Task Input_goes_to_every_session_and_one_that_ends_holds_up_no_other()
    {
        var request = TestRun.Where("app=web");
        request.Tool.Stdin = true;
        using var run = fleet.Coordinator.Run(request);
        await run.StartedAsync();
        using var ends = await fleet.Alpha.ToolAsync();
        using var reads = await fleet.Beta.ToolAsync();
        var sending = SendInputAsync(run, 5_000_000);
        await ends.NextAsync();
        ends.Dispose();

        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        while (await reads.NextAsync() is { FrameCase: CoordinatorFrame.FrameOneofCase.Stdin } frame)
            hash.AppendData(frame.Stdin.Span);
        Assert.Equal(await sending, Convert.ToHexString(hash.GetHashAndReset()));
        await reads.ExitAsync(0);
    }

    [Fact]
    public async Task Input_with_fewer_at_a_time_than_targets_is_refused()
    {
        var request = TestRun.Where("app=web", parallel: 1);
        request.Tool.Stdin = true;
        using var run = fleet.Coordinator.Run(request);
        var failure = await run.FailureAsync();
        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Contains("all 2 containers", failure.Detail);
    }

    [Fact]
    public async Task Window_sizes_reach_the_tool()
    {
        var request = TestRun.In("web-1");
        request.Tool.Terminal = new TerminalSize { Rows = 24, Columns = 80 };
        using var run = fleet.Coordinator.Run(request);
        await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        Assert.Equal(80u, tool.Session.Start.Tool.Terminal.Columns);

        await run.SendAsync(new RunInput { Resize = new TerminalSize { Rows = 50, Columns = 132 } });
        await run.SendAsync("not wanted"u8);
        Assert.Equal(new WindowSize { Rows = 50, Columns = 132 }, (await tool.NextAsync())?.Resize);
        await run.SendAsync(new RunInput { Resize = new TerminalSize { Rows = 51, Columns = 132 } });
        Assert.Equal(new WindowSize { Rows = 51, Columns = 132 }, (await tool.NextAsync())?.Resize);
        await tool.ExitAsync(0);
    }

    [Fact]
    public async Task A_signal_reaches_a_tool_that_does_not_read_its_input()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1", stdin: true));
        var started = await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        var sent = 0L;
        using var client = new CancellationTokenSource();
        var sending = Task.Run(async () =>
        {
            for (; sent < Plenty && !client.IsCancellationRequested; Interlocked.Add(ref sent, Chunk))
                await run.SendAsync(new byte[Chunk]);
        });
        await StalledAsync(() => Volatile.Read(ref sent));

        await fleet.Coordinator.Client.SignalRunAsync(new SignalRunRequest { RunId = started.RunId, Signal = 15 });

        Assert.Equal(15, await tool.Session.NextSignalAsync());
        await client.CancelAsync();
        run.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => sending);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(65)]
    public async Task A_signal_that_does_not_exist_is_refused(int signal)
    {
        var refused = await Assert.ThrowsAsync<Grpc.Core.RpcException>(
            async () => await fleet.Coordinator.Client.SignalRunAsync(new SignalRunRequest { RunId = "run-1", Signal = signal }));

        Assert.Equal(Grpc.Core.StatusCode.InvalidArgument, refused.StatusCode);
    }

    [Fact]
    public async Task Output_stops_at_the_bytes_that_a_session_may_write()
    {
        var request = TestRun.In("web-1");
        request.MaxBytes = 1000;
        using var run = fleet.Coordinator.Run(request);
        await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);

        await tool.StdoutAsync(new byte[600]);
        await tool.StderrAsync(new byte[600]);

        Assert.Equal(600, (await run.NextAsync(RunEvent.EventOneofCase.Output)).Output.Data.Length);
        Assert.Equal(400, (await run.NextAsync(RunEvent.EventOneofCase.Output)).Output.Data.Length);
        Assert.Equal(125, (await run.SessionEndedAsync()).Failure.ExitCode);
        await tool.Session.Ended;
        await run.EndedAsync();
    }

    [Fact]
    public async Task Nothing_runs_before_the_client_has_agreed_to_the_targets()
    {
        var request = TestRun.In("web-1");
        request.Ask = true;
        using var run = fleet.Coordinator.Run(request);
        Assert.Single((await run.StartedAsync()).Targets);

        await run.SendAsync(new RunInput { Begin = new RunBegin() });

        using var tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await tool.ExitAsync(0);
        await run.SessionEndedAsync();
        await run.EndedAsync();
    }

    /// <summary>Random bytes on both outputs, then the exit status.</summary>
    /// <returns>The hash of each.</returns>
    private static async Task<(string Stdout, string Stderr)> SendAsync(PlayedStream tool, long bytes, Action<long>? sent = null)
    {
        using var stdout = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var stderr = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var random = new Random(1);
        for (long at = 0; at < bytes;)
        {
            var data = new byte[Math.Min(random.Next(1, Chunk), bytes - at)];
            random.NextBytes(data);
            var isError = random.Next(4) == 0;
            (isError ? stderr : stdout).AppendData(data);
            await (isError ? tool.StderrAsync(data) : tool.StdoutAsync(data));
            at += data.Length;
            sent?.Invoke(at);
        }

        await tool.ExitAsync(0);
        return (Convert.ToHexString(stdout.GetHashAndReset()), Convert.ToHexString(stderr.GetHashAndReset()));
    }

    private static async Task<string> SendInputAsync(TestRun run, long bytes, Action<long>? sent = null)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var data = new byte[Chunk];
        for (long at = 0; at < bytes; at += data.Length)
        {
            Random.Shared.NextBytes(data);
            hash.AppendData(data);
            await run.SendAsync(data);
            sent?.Invoke(at + data.Length);
        }

        await run.SendAsync(new RunInput { StdinEof = new StdinEof() });
        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static async Task<(string Stdout, string Stderr)> ReadToExitAsync(TestRun run)
    {
        using var stdout = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var stderr = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        RunEvent happened;
        while ((happened = await run.NextAsync()).EventCase == RunEvent.EventOneofCase.Output)
            (happened.Output.Stderr ? stderr : stdout).AppendData(happened.Output.Data.Span);
        Assert.Equal(RunEvent.EventOneofCase.SessionEnded, happened.EventCase);
        return (Convert.ToHexString(stdout.GetHashAndReset()), Convert.ToHexString(stderr.GetHashAndReset()));
    }

    /// <summary>Returns when the count has stood still for half a second: nothing else tells that somebody waits.</summary>
    private static async Task StalledAsync(Func<long> count)
    {
        using var look = new PeriodicTimer(TimeSpan.FromMilliseconds(500));
        for (var last = -1L; last != count() || last <= 0;)
        {
            last = count();
            await look.WaitForNextTickAsync();
        }
    }
}
