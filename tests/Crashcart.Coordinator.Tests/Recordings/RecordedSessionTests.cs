using System.Security.Cryptography;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;
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

    [Theory]
    [InlineData("user:ruth", "the rule 'recorded' allows it, and has output and input recorded.")]
    [InlineData("user:otto", "the rule 'watched' allows it, and has the output recorded.")]
    public async Task Whoever_asks_is_told_what_is_recorded(string user, string reason)
    {
        var policies = new Crashcart.Api.Policies.PoliciesClient(fleet.Sam);

        ExplainPolicyResponse explained = await policies.ExplainAsync(new ExplainPolicyRequest { Subject = user, Verb = "exec", Target = "alpha/web-1" });

        Assert.True(explained.Allowed);
        Assert.EndsWith(reason, explained.Reason, StringComparison.Ordinal);
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

    [Fact]
    public async Task Whoever_has_the_verb_reads_it_and_the_audit_log_says_who_did_and_what_its_bytes_are()
    {
        string session = await Recorded("web-1");
        RecordingInfo listed = Assert.Single((await Api(fleet.Sam).ListRecordingsAsync(new ListRecordingsRequest { User = "otto", Target = session })).Recordings);
        Assert.Equal(("user otto", "alpha", "web-1", "tool", "finished"), (listed.User, listed.Node, listed.Container, listed.Command, listed.State));

        (RecordingInfo info, byte[] bytes) = await Read(fleet.Sam, session["run-".Length..]);

        Assert.Equal(await File.ReadAllBytesAsync(Path.Combine(Recordings, session + ".transcript")), bytes);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes)), info.AuditedSha256);
        Assert.Contains(
            Directory.EnumerateFiles(Path.Combine(fleet.Coordinator.AuditDirectory, "coordinator"), "*.jsonl").SelectMany(File.ReadLines),
            line => line.Contains("\"user\":\"user sam\"", StringComparison.Ordinal) && line.Contains("\"verb\":\"recordings\"", StringComparison.Ordinal)
                && line.Contains(session["run-".Length..], StringComparison.Ordinal));
    }

    [Fact]
    public async Task For_others_there_is_none()
    {
        string session = await Recorded("web-1");

        Assert.Empty((await Api(fleet.Otto).ListRecordingsAsync(new ListRecordingsRequest())).Recordings);
        Assert.Equal(
            (StatusCode.NotFound, $"There is no recording '{session}'; 'crashcart recordings ls' lists them."),
            await Refusal(fleet.Otto, session));
        Assert.Equal((StatusCode.NotFound, "There is no recording 'run-0'; 'crashcart recordings ls' lists them."), await Refusal(fleet.Otto, "run-0"));
        Assert.Equal(StatusCode.PermissionDenied, (await Refusal(fleet.Ruth, session)).Code);
    }

    /// <summary>The id of a recording of otto's.</summary>
    private async Task<string> Recorded(string container)
    {
        using TestRun run = Run(fleet.Otto, TestRun.In(container));
        string session = (await run.StartedAsync()).RunId + "-0";
        using PlayedStream tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await tool.StdoutAsync("text"u8.ToArray());
        await run.NextAsync(RunEvent.EventOneofCase.Output);
        await tool.ExitAsync(0);
        await run.SessionEndedAsync();
        await run.EndedAsync();
        return session;
    }

    private static async Task<(RecordingInfo Info, byte[] Bytes)> Read(GrpcChannel user, string id)
    {
        using var call = Api(user).ReadRecording(new ReadRecordingRequest { Id = id });
        List<RecordingPart> parts = await call.ResponseStream.ReadAllAsync().ToListAsync();
        return (parts[0].Info, [.. parts.Skip(1).SelectMany(part => part.Data)]);
    }

    private static async Task<(StatusCode Code, string Detail)> Refusal(GrpcChannel user, string id)
    {
        Status status = (await Assert.ThrowsAsync<RpcException>(() => Read(user, id))).Status;
        return (status.StatusCode, status.Detail);
    }

    private static Crashcart.Api.Recordings.RecordingsClient Api(GrpcChannel user) => new(user);

    private static TestRun Run(GrpcChannel user, RunRequest request) => TestRun.Start(new Fleet.FleetClient(user), request, CancellationToken.None);
}
