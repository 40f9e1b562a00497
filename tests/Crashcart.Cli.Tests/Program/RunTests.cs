using System.Text;
using System.Threading.Channels;
using Crashcart.Api;

namespace Crashcart.Cli.Tests.Program;

/// <summary>The whole program against a coordinator that is played.</summary>
public sealed class RunTests
{
    [Fact]
    public async Task A_session_s_bytes_go_both_ways_as_they_are()
    {
        RunRequest? request = null;
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            request = (await run.ReceiveAsync()).Start;
            await run.StartAsync(1);
            while (await run.ReceiveAsync() is { InputCase: RunInput.InputOneofCase.Stdin } input)
                await run.PrintAsync(0, input.Stdin.ToByteArray());
            await run.PrintAsync(0, "err"u8.ToArray(), stderr: true);
            await run.ExitAsync(0, 42);
            await run.EndAsync();
        });
        using var cli = CliProcess.Start("exec", "--coordinator", coordinator.Address, "-e", "A=1", "--memory", "1G", "--cpus", "1.5", "n/c0", "cat", "-u", "x");
        var sent = new byte[300_000];
        new Random(1).NextBytes(sent);
        var output = cli.ReadOutputAsync();
        await cli.Input.WriteAsync(sent);
        cli.Input.Close();

        Assert.Equal(Encoding.Latin1.GetString(sent), await output);
        Assert.Equal("err", await cli.Error);
        Assert.Equal(42, await cli.ExitAsync());
        Assert.Equal("n/c0", request!.Container);
        Assert.Equal(["cat", "-u", "x"], request.Tool.Argv);
        Assert.Equal(["A=1"], request.Tool.Environment);
        Assert.Equal(1L << 30, request.Tool.MemoryLimit);
        Assert.Equal(1_500_000_000, request.Tool.NanoCpus);
        Assert.Null(request.Tool.Terminal);
        Assert.True(request.Tool.Stdin);
    }

    [Fact]
    public async Task A_closed_standard_input_is_empty()
    {
        var input = new TaskCompletionSource<RunInput>();
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            await run.ReceiveAsync();
            await run.StartAsync(1);
            input.SetResult(await run.ReceiveAsync());
            await run.ExitAsync(0, 0);
            await run.EndAsync();
        });
        using var cli = CliProcess.StartClosing("<&-", "exec", "--coordinator", coordinator.Address, "n/c0", "cat");
        Assert.Equal(RunInput.InputOneofCase.StdinEof, (await input.Task).InputCase);
        Assert.Equal((0, ""), (await cli.ExitAsync(), await cli.Error));
    }

    [Fact]
    public async Task A_tool_that_is_not_there_is_told_with_its_status()
    {
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            await run.ReceiveAsync();
            await run.StartAsync(1);
            await run.SendAsync(new RunEvent { SessionEnded = new SessionEnded { Failure = new Failure { ExitCode = 127, Message = "No \e[2Jtool." } } });
            await run.EndAsync();
        });
        Assert.Equal((127, "", "crashcart: No \uFFFD[2Jtool.\n"), await CliProcess.RunAsync("exec", "--coordinator", coordinator.Address, "n/c0", "nosuch"));
    }

    [Fact]
    public async Task A_refusal_is_the_coordinator_s_own_sentence()
    {
        await using var coordinator = await FakeCoordinator.StartAsync(run =>
        {
            (run.Status, run.Message) = ("3", "The selector is malformed at column 4.");
            return Task.CompletedTask;
        });
        Assert.Equal(
            (125, "", "crashcart: The selector is malformed at column 4.\n"),
            await CliProcess.RunAsync("fleet", "exec", "--coordinator", coordinator.Address, "--label", "a==", "ls"));
    }

    [Fact]
    public async Task A_fleet_s_lines_are_labelled_and_a_tool_needs_no_dashes()
    {
        RunRequest? request = null;
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            request = (await run.ReceiveAsync()).Start;
            await run.StartAsync(2);
            await run.PrintAsync(1, "x\ny"u8.ToArray());
            await run.PrintAsync(0, "e\n"u8.ToArray(), stderr: true);
            await run.ExitAsync(1, 0);
            await run.ExitAsync(0, 1);
            await run.EndAsync();
        });
        var (status, output, error) = await CliProcess.RunAsync(
            "fleet", "exec", "--coordinator", coordinator.Address, "--label", "app=web", "--label", "tier!=db", "--node", "n*", "--parallel", "3",
            "--timeout", "5s", "tcpdump", "-c", "3", "-ni", "any");
        Assert.Equal(1, status);
        Assert.Equal("n/c1  | x\nn/c1  | y\n", output);
        Assert.Equal("n/c0  | e\ncrashcart: 1 failed:\n  n/c0  Exit status 1.\n", error);
        Assert.Equal(new Selection { Selector = "app=web,tier!=db", Node = "n*" }, request!.Selection);
        Assert.Equal(["tcpdump", "-c", "3", "-ni", "any"], request.Tool.Argv);
        Assert.Equal((3u, 5000ul, false), (request.Parallel, request.TimeoutMs, request.Tool.Stdin));
    }

    [Fact]
    public async Task Every_option_reaches_the_coordinator()
    {
        RunRequest? request = null;
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            request = (await run.ReceiveAsync()).Start;
            await run.StartAsync(1);
            await run.ExitAsync(0, 0);
            await run.EndAsync();
        });
        var (status, _, error) = await CliProcess.RunAsync(
            "fleet", "exec", "--coordinator", coordinator.Address, "--name", "web-*", "--container-image", "nginx:*", "--runtime", "docker",
            "--sample", "10%", "--seed", "7", "--limit", "5", "--parallel-per-node", "2", "--canary", "1", "--max-failures", "20%", "--deadline", "1m",
            "--max-bytes", "1K", "-i", "toolbox:1", "ls");
        Assert.Equal((0, ""), (status, error));
        Assert.Equal(
            new Selection
            {
                Name = "web-*",
                Image = "nginx:*",
                Runtime = "docker",
                Sample = new Share { Value = 10, Percent = true },
                SampleSeed = 7,
                Limit = 5,
            },
            request!.Selection);
        Assert.Equal((2u, 1u, 60_000ul, 1024ul, false), (request.ParallelPerNode, request.Canary, request.DeadlineMs, request.MaxBytes, request.Ask));
        Assert.Equal(new Share { Value = 20, Percent = true }, request.MaxFailures);
        Assert.Equal(RunMode.Once, request.Mode);
    }

    [Fact]
    public async Task A_dry_run_shows_the_targets()
    {
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            Assert.Equal(RunMode.DryRun, (await run.ReceiveAsync()).Start.Mode);
            await run.StartAsync(2);
            await run.EndAsync();
        });
        var (status, output, error) = await CliProcess.RunAsync("fleet", "exec", "--coordinator", coordinator.Address, "-l", "a", "--dry-run", "ls");
        Assert.Equal((0, ""), (status, error));
        Assert.Equal(["NODE", "n", "n"], output.TrimEnd('\n').Split('\n').Select(line => line.Split(' ')[0]));
    }

    [Theory]
    [InlineData("--dry-run")]
    [InlineData("--coordinator=unix:///nonexistent/s")]
    public async Task A_capture_that_does_not_begin_leaves_the_file_as_it_was(string option)
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "an older capture");
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            await run.ReceiveAsync();
            await run.StartAsync(1);
            await run.EndAsync();
        });
        string[] words = option == "--dry-run" ? [option, "--coordinator", coordinator.Address] : [option];
        await CliProcess.RunAsync(["fleet", "capture", "-l", "a", "-w", file, .. words]);
        Assert.Equal("an older capture", await File.ReadAllTextAsync(file));
        File.Delete(file);
    }

    [Fact]
    public async Task Containers_that_join_have_labels_like_the_others()
    {
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            Assert.Equal(RunMode.Follow, (await run.ReceiveAsync()).Start.Mode);
            await run.StartAsync(0);
            await run.SendAsync(new RunEvent { Joined = new TargetsJoined { Targets = { new Container { Node = "n", Name = "late" } } } });
            await run.PrintAsync(0, "here\n"u8.ToArray());
            await run.ExitAsync(0, 0);
            await run.EndAsync();
        });
        Assert.Equal(
            (0, "n/late  | here\n", ""),
            await CliProcess.RunAsync("fleet", "exec", "--coordinator", coordinator.Address, "-l", "a", "--follow", "ls"));
    }

    [Fact]
    public async Task Every_tool_gets_standard_input_to_its_end()
    {
        var input = new MemoryStream();
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            Assert.True((await run.ReceiveAsync()).Start.Tool.Stdin);
            await run.StartAsync(2);
            while (await run.ReceiveAsync() is { InputCase: RunInput.InputOneofCase.Stdin } piece)
                input.Write(piece.Stdin.Span);
            await run.ExitAsync(0, 0);
            await run.ExitAsync(1, 0);
            await run.EndAsync();
        });
        using var cli = CliProcess.Start("fleet", "exec", "--coordinator", coordinator.Address, "-l", "a", "--stdin", "cat");
        await cli.Input.WriteAsync("to all"u8.ToArray());
        cli.Input.Close();
        Assert.Equal(0, await cli.ExitAsync());
        Assert.Equal("to all", Encoding.UTF8.GetString(input.ToArray()));
    }

    [Fact]
    public async Task The_first_interrupt_goes_to_the_tools_the_second_kills_them_and_the_third_leaves()
    {
        var signals = Channel.CreateUnbounded<(string Run, int Signal)>();
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            if (run.Method == "SignalRun")
            {
                var request = await run.ReceiveAsync<SignalRunRequest>();
                signals.Writer.TryWrite((request.RunId, request.Signal));
                await run.SendAsync(new SignalRunResponse());
                return;
            }

            await run.ReceiveAsync();
            await run.StartAsync(1);
            await run.PrintAsync(0, "started\n"u8.ToArray());
            await Task.Delay(Timeout.Infinite, run.Gone);
        });
        using var cli = CliProcess.Start("fleet", "exec", "--coordinator", coordinator.Address, "--label", "a", "sleep", "9");
        await cli.Output.ReadExactlyAsync(new byte["n/c0  | started\n".Length]);
        cli.Signal("INT");
        Assert.Equal(("r", 2), await signals.Reader.ReadAsync());
        cli.Signal("INT");
        Assert.Equal(("r", 9), await signals.Reader.ReadAsync());
        cli.Signal("INT");
        Assert.Equal(130, await cli.ExitAsync());
        Assert.Equal("crashcart: Interrupted; the nodes end what still runs.\n", await cli.Error);
        await coordinator.Ended.Task;
    }

    [Fact]
    public async Task A_reader_that_stalls_does_not_keep_an_ended_run_alive()
    {
        var signalled = new SemaphoreSlim(0);
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            if (run.Method == "SignalRun")
            {
                await run.ReceiveAsync<SignalRunRequest>();
                await run.SendAsync(new SignalRunResponse());
                signalled.Release();
                return;
            }

            await run.ReceiveAsync();
            await run.StartAsync(1);
            await FloodAsync(run);
        });
        using var cli = CliProcess.Start("fleet", "exec", "--coordinator", coordinator.Address, "--label", "a", "yes");
        await cli.Output.ReadExactlyAsync(new byte[100]);
        for (var signal = 1; signal <= 2; signal++)
        {
            cli.Signal("TERM");
            await signalled.WaitAsync();
        }

        cli.Signal("TERM");
        Assert.Equal(143, await cli.ExitAsync());
    }

    [Fact]
    public async Task Nobody_reading_any_more_ends_the_run_quietly()
    {
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            await run.ReceiveAsync();
            await run.StartAsync(1);
            await FloodAsync(run);
        });
        using var cli = CliProcess.Start("fleet", "exec", "--coordinator", coordinator.Address, "--label", "a", "yes");
        await cli.Output.ReadExactlyAsync(new byte[100]);
        cli.Output.Close();
        Assert.Equal(141, await cli.ExitAsync());
        Assert.Equal("", await cli.Error);
        await coordinator.Ended.Task;
    }

    [Fact]
    public async Task A_coordinator_that_is_lost_is_told_and_so_is_whom_it_leaves()
    {
        var seen = new TaskCompletionSource();
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            await run.ReceiveAsync();
            await run.StartAsync(1);
            await run.PrintAsync(0, "started\n"u8.ToArray());
            await seen.Task;
            throw new InvalidOperationException("the server goes");
        });
        using var cli = CliProcess.Start("fleet", "exec", "--coordinator", coordinator.Address, "--label", "a", "ls");
        await cli.Output.ReadExactlyAsync(new byte["n/c0  | started\n".Length]);
        seen.SetResult();
        Assert.Equal(125, await cli.ExitAsync());
        var error = await cli.Error;
        Assert.Contains("crashcart: Lost the coordinator at ", error, StringComparison.Ordinal);
        Assert.EndsWith("crashcart: 1 failed:\n  n/c0  Lost before its end was known.\n", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Listings_are_json_for_programs()
    {
        await using var coordinator = await FakeCoordinator.StartAsync(async call =>
        {
            Assert.Equal("ListContainers", call.Method);
            Assert.Equal("app", (await call.ReceiveAsync<ListContainersRequest>()).Selector);
            await call.SendAsync(new ListContainersResponse { Containers = { new Container { Node = "n", Name = "web\e", Id = "1" } } });
        });
        var (status, output, _) = await CliProcess.RunAsync("ps", "--coordinator", coordinator.Address, "-l", "app", "-o", "json");
        Assert.Equal(0, status);
        Assert.Equal("web\e", System.Text.Json.JsonDocument.Parse(output).RootElement[0].GetProperty("name").GetString());
        Assert.DoesNotContain('\e', output);
    }

    [Fact]
    public async Task An_incomplete_listing_is_told_and_is_125()
    {
        await using var coordinator = await FakeCoordinator.StartAsync(call =>
            call.SendAsync(new ListContainersResponse { Unanswered = { new Unanswered { Node = "m", Message = "Did not answer in 2 s." } } }));
        var (status, output, error) = await CliProcess.RunAsync("ps", "--coordinator", coordinator.Address);
        Assert.Equal((125, "NODE  CONTAINER  ID  IMAGE  STATE  UP  LABELS\n", "crashcart: m: Did not answer in 2 s.\n"), (status, output, error));
    }

    // More than any buffer on the way holds.
    private static async Task FloodAsync(FakeCoordinator.Conversation run)
    {
        var lines = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("yes\n", 8192)));
        while (!run.Gone.IsCancellationRequested)
            await run.PrintAsync(0, lines);
    }
}
