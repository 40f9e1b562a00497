using System.Text;
using System.Text.Json;
using Crashcart.Api;

namespace Crashcart.Cli.Tests.Program;

/// <summary>Detached runs, what is listed of them, and what came of them, from a played coordinator.</summary>
public sealed class RunsTests
{
    private static readonly RunInfo Failed = new()
    {
        RunId = "run-2",
        State = "failed",
        Tool = "tcp\e[31mdump",
        By = "user 0",
        Targets = 9,
        Done = 5,
        Failed = 3,
        Others = 1,
        Bytes = 2_000_000,
        Kept = true,
        SinceUnixMs = DateTimeOffset.UtcNow.AddHours(-3).ToUnixTimeMilliseconds(),
    };

    [Fact]
    public async Task A_detached_run_prints_its_id_alone()
    {
        RunRequest? request = null;
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            request = (await run.ReceiveAsync()).Start;
            await run.StartAsync(2);
            await run.EndAsync();
        });

        Assert.Equal(
            (0, "r\n", ""),
            await CliProcess.RunAsync("fleet", "exec", "-d", "--coordinator", coordinator.Address, "-l", "a", "--max-bytes", "1M", "-f", "--deadline", "5s", "ls", "-d"));
        Assert.Equal((true, 1ul << 20, RunMode.Follow, 5000ul), (request!.Detach, request.MaxBytes, request.Mode, request.DeadlineMs));
        Assert.Equal(["ls", "-d"], request.Tool.Argv);
    }

    [Fact]
    public async Task One_container_s_tool_is_detached_without_a_terminal_and_without_input()
    {
        RunRequest? request = null;
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            request = (await run.ReceiveAsync()).Start;
            await run.StartAsync(1);
            await run.EndAsync();
        });

        Assert.Equal((0, "r\n", ""), await CliProcess.RunAsync("exec", "-d", "--coordinator", coordinator.Address, "n/c0", "ls"));
        Assert.Equal((true, "n/c0", false), (request!.Detach, request.Container, request.Tool.Stdin));
        Assert.Null(request.Tool.Terminal);
    }

    [Fact]
    public async Task A_run_that_has_not_begun_has_no_id()
    {
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            await run.ReceiveAsync();
            await run.StartAsync(0);
            await run.EndAsync();
        });
        var (status, output, error) = await CliProcess.RunAsync("fleet", "exec", "-d", "--coordinator", coordinator.Address, "-l", "a", "ls");
        Assert.Equal((3, ""), (status, output));
        Assert.StartsWith("crashcart: No running container matches", error, StringComparison.Ordinal);

        await using var lost = await FakeCoordinator.StartAsync(async run =>
        {
            await run.ReceiveAsync();
            await run.StartAsync(1);
        });
        (status, output, error) = await CliProcess.RunAsync("fleet", "exec", "-d", "--coordinator", lost.Address, "-l", "a", "ls");
        Assert.Equal((125, "", "crashcart: The coordinator ended the run before it began; look at its log.\n"), (status, output, error));
    }

    [Fact]
    public async Task Runs_are_listed_and_nothing_reaches_the_terminal_raw()
    {
        var (status, output, _) = await AskAsync(
            new ListRunsResponse { Runs = { new RunInfo { RunId = "run-1", State = "running", Tool = "gdb", Targets = 1, Running = 1 }, Failed } }, "runs");

        Assert.Equal(0, status);
        Assert.Equal(
            """
            RUN    STATE    AGE  TOOL          CONTAINERS  RUNNING  DONE  FAILED  OTHERS  KEPT  BY
            run-1  running  -    gdb           1           1        0     0       0       -     -
            run-2  failed   3h   tcp�[31mdump  9           0        5     3       1       2 MB  user 0

            """,
            output);
    }

    [Fact]
    public async Task Programs_read_runs_as_json_and_a_host_that_did_not_answer_is_a_failure()
    {
        var (status, output, error) = await AskAsync(
            new ListRunsResponse { Runs = { Failed }, Unanswered = { new Unanswered { Node = "b", Message = "The node is unreachable." } } }, "runs", "-o", "json");

        Assert.Equal((125, "crashcart: b: The node is unreachable.\n"), (status, error));
        var run = JsonDocument.Parse(output).RootElement[0];
        Assert.Equal(("run-2", "failed", 9, 2_000_000), (
            run.GetProperty("run").GetString(), run.GetProperty("state").GetString(), run.GetProperty("containers").GetInt32(), run.GetProperty("keptBytes").GetInt64()));
    }

    [Fact]
    public async Task What_is_kept_has_the_forms_of_a_run()
    {
        RunRequest? request = null;
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            request = (await run.ReceiveAsync()).Start;
            await run.StartAsync(2);
            await run.PrintAsync(1, "x\n"u8.ToArray());
            await run.ExitAsync(1, 3);
            await run.SendAsync(new RunEvent { SessionEnded = new SessionEnded { Target = 0, GoesOn = new GoesOn() } });
            await run.EndAsync();
        });

        var (status, output, _) = await CliProcess.RunAsync("runs", "logs", "--coordinator", coordinator.Address, "r", "-f", "--json");

        Assert.Equal(new Replay { Run = "r", Follow = true }, request!.Replay);
        Assert.Equal(1, status);
        var ends = output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)
            .Where(line => line.GetProperty("type").GetString() == "exit").ToList();
        Assert.Equal(3, ends[0].GetProperty("exit_code").GetInt32());
        Assert.True(ends[1].GetProperty("running").GetBoolean());
        Assert.False(ends[1].TryGetProperty("exit_code", out _));
    }

    [Fact]
    public async Task Who_waits_is_told_who_failed_and_what_nobody_knows()
    {
        RunRequest? request = null;
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            request = (await run.ReceiveAsync()).Start;
            await run.StartAsync(1);
            await run.ExitAsync(0, 0);
            await run.SendAsync(new RunEvent { Ended = new RunEnded { Missing = { new Unanswered { Node = "r", Message = "2 are missing." } } } });
        });

        Assert.Equal(
            (125, "", "crashcart: 1 failed:\n  r  2 are missing.\n"), await CliProcess.RunAsync("runs", "wait", "--coordinator", coordinator.Address, "r"));
        Assert.Equal(new Replay { Run = "r", Follow = true, EndsOnly = true }, request!.Replay);
    }

    [Fact]
    public async Task An_interruption_leaves_the_tools_alone()
    {
        List<string> methods = [];
        var reading = new TaskCompletionSource();
        await using var coordinator = await FakeCoordinator.StartAsync(async run =>
        {
            lock (methods)
                methods.Add(run.Method);
            await run.ReceiveAsync();
            await run.StartAsync(1);
            await run.PrintAsync(0, "x\n"u8.ToArray());
            reading.TrySetResult();
            await Task.Delay(Timeout.Infinite, run.Gone).ContinueWith(_ => { }, TaskScheduler.Default);
        });
        using var cli = CliProcess.Start("runs", "logs", "-f", "--coordinator", coordinator.Address, "r");
        var first = new byte[1];
        await cli.Output.ReadExactlyAsync(first);
        await reading.Task;

        cli.Signal("INT");

        Assert.Equal((130, ""), (await cli.ExitAsync(), await cli.Error));
        await coordinator.Ended.Task;
        Assert.Equal(["Run"], methods);
    }

    [Fact]
    public async Task Runs_that_are_forgotten_are_named_and_the_others_told()
    {
        Assert.Equal((0, "run-1\n", ""), await AskAsync(new RemoveRunResponse { RunId = "run-1" }, "runs", "rm", "1"));

        await using var coordinator = await FakeCoordinator.StartAsync(run =>
        {
            (run.Status, run.Message) = ("5", "There is no run 'x'.");
            return Task.CompletedTask;
        });
        Assert.Equal(
            (3, "", "crashcart: There is no run 'x'.\ncrashcart: There is no run 'x'.\n"),
            await CliProcess.RunAsync("runs", "rm", "--coordinator", coordinator.Address, "x", "y"));
        foreach (var command in (string[])["logs", "wait"])
            Assert.Equal((3, "", "crashcart: There is no run 'x'.\n"), await CliProcess.RunAsync("runs", command, "--coordinator", coordinator.Address, "x"));
    }

    [Fact]
    public async Task A_run_without_a_session_is_killed_too() =>
        Assert.Equal((0, "run-1 ends\n", ""), await AskAsync(new KillResponse { RunId = "run-1" }, "kill", "run-1"));

    private static async Task<(int Status, string Output, string Errors)> AskAsync(Google.Protobuf.IMessage answer, params string[] arguments)
    {
        await using var coordinator = await FakeCoordinator.StartAsync(conversation => conversation.SendAsync(answer));
        var (status, output, errors) = await CliProcess.RunAsync([.. arguments, "--coordinator", coordinator.Address]);
        return (status, Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(output)), errors);
    }
}
