using System.Text;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Google.Protobuf;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Recordings;

/// <summary>Sessions that a policy has recorded.</summary>
public sealed class RecordedSessionTests(PolicyFleet fleet) : IClassFixture<PolicyFleet>
{
    private string Recordings => Path.Combine(fleet.Coordinator.StateDirectory, "recordings");

    [Fact]
    public async Task A_terminals_is_whole_when_its_client_hears_of_the_end_and_the_audit_log_names_it()
    {
        RunRequest request = TestRun.In("web-1", stdin: true);
        request.Tool.Terminal = new TerminalSize { Columns = 80, Rows = 24 };
        using TestRun run = Run(fleet.Ruth, request);
        string session = (await run.StartedAsync()).RunId + "-0";
        using PlayedStream tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await run.SendAsync("id\r"u8.ToArray());
        await tool.NextAsync();
        await run.SendAsync(new RunInput { Resize = new TerminalSize { Columns = 100, Rows = 30 } });
        await tool.NextAsync();
        await tool.StdoutAsync("uid=0\r\n"u8.ToArray());
        await run.NextAsync(RunEvent.EventOneofCase.Output);
        await tool.ExitAsync(0);
        await run.SessionEndedAsync();

        string[] lines = await File.ReadAllLinesAsync(Path.Combine(Recordings, session + ".cast"));
        Assert.Equal(
            [("i", "id\r"), ("r", "100x30"), ("o", "uid=0\r\n"), ("m", "exited with 0")],
            lines[1..].Select(line => JsonDocument.Parse(line).RootElement).Select(line => (line[1].GetString(), line[2].GetString())));
        Assert.Equal("user ruth", JsonDocument.Parse(lines[0]).RootElement.GetProperty("crashcart").GetProperty("user").GetString());
        await run.EndedAsync();
    }

    [Fact]
    public async Task Where_output_alone_is_asked_for_input_is_not_there()
    {
        using TestRun run = Run(fleet.Otto, TestRun.In("web-1", stdin: true));
        string session = (await run.StartedAsync()).RunId + "-0";
        using PlayedStream tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await run.SendAsync("secret"u8.ToArray());
        await tool.NextAsync();
        await tool.StderrAsync(new byte[] { 0xff });
        await run.NextAsync(RunEvent.EventOneofCase.Output);
        await tool.ExitAsync(0);
        await run.SessionEndedAsync();

        string[] lines = await File.ReadAllLinesAsync(Path.Combine(Recordings, session + ".transcript"));
        Assert.Equal([("stderr", "/w=="), ("m", "exited with 0")], lines[1..].Select(line => JsonDocument.Parse(line).RootElement).Select(line => (line[1].GetString(), line[2].GetString())));
        await run.EndedAsync();
    }

    [Fact]
    public async Task A_recording_that_cannot_go_on_ends_its_session_and_what_is_not_recorded_is_shown_to_nobody()
    {
        using TestRun run = Run(fleet.Otto, TestRun.In("web-1"));
        string session = (await run.StartedAsync()).RunId + "-0";
        using PlayedStream tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await tool.StdoutAsync(new byte[100_000]);

        SessionEnded ended = await run.SessionEndedAsync();

        Assert.Equal(125, ended.Failure.ExitCode);
        Assert.Equal(
            "The policy has this session recorded, and the coordinator can record no more: a recording has at most 65536 bytes here (--recording-max); the tool was ended.",
            ended.Failure.Message);
        await tool.Session.Ended;
        Assert.True(File.Exists(Path.Combine(Recordings, session + ".transcript.unfinished")));
        await run.EndedAsync();
    }

    [Fact]
    public async Task A_detached_run_is_refused_where_its_sessions_are_to_be_recorded()
    {
        RunRequest request = TestRun.In("web-1");
        request.Detach = true;
        using TestRun run = Run(fleet.Otto, request);

        Assert.Equal(
            "The policy has what goes on in alpha/web-1 recorded, and the output of a detached run stays on its nodes: run it without --detach.",
            (await run.FailureAsync()).Detail);
    }

    [Fact]
    public async Task Without_a_rule_that_asks_for_it_nothing_is_recorded()
    {
        using TestRun run = Run(fleet.Alice, TestRun.In("web-1"));
        string session = (await run.StartedAsync()).RunId + "-0";
        using PlayedStream tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await tool.ExitAsync(0);
        await run.SessionEndedAsync();

        Assert.True(!Directory.Exists(Recordings) || !Directory.EnumerateFiles(Recordings, session + "*").Any());
        await run.EndedAsync();
    }

    private static TestRun Run(GrpcChannel user, RunRequest request) => TestRun.Start(new Fleet.FleetClient(user), request, CancellationToken.None);
}
