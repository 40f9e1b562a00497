using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests;

/// <summary>How runs and their sessions begin and end.</summary>
[Collection(nameof(SmallFleet))]
public sealed class CourseTests(SmallFleet fleet)
{
    [Fact]
    public async Task The_course_of_a_session_is_told_in_order()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1"));
        var started = await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        Assert.Equal(started.RunId, tool.Session.Start.RunId);

        var begun = (await run.NextAsync(RunEvent.EventOneofCase.SessionStarted)).SessionStarted;
        Assert.Equal(tool.Session.Start.SessionId, begun.SessionId);
        await tool.StdoutAsync("out"u8.ToArray());
        await tool.StderrAsync("err"u8.ToArray());
        await tool.ExitAsync(137);

        Assert.Equal("out", (await run.NextAsync(RunEvent.EventOneofCase.Output)).Output.Data.ToStringUtf8());
        var error = (await run.NextAsync(RunEvent.EventOneofCase.Output)).Output;
        Assert.True(error.Stderr);
        Assert.Equal("err", error.Data.ToStringUtf8());
        Assert.Equal(137, (await run.SessionEndedAsync()).ExitCode);
        await run.EndedAsync();
    }

    [Fact]
    public async Task A_tool_that_was_not_started_is_told_with_its_reason()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        using var stream = (await fleet.Alpha.SessionAsync()).Dial();
        await stream.PresentAsync();
        await stream.SendAsync(new NodeFrame { Exit = new SessionExit { Failure = new SessionFailure { ExitCode = 127, Message = "No such tool." } } });

        var failure = (await run.SessionEndedAsync()).Failure;
        Assert.Equal((127, "No such tool."), (failure.ExitCode, failure.Message));
        await run.EndedAsync();
    }

    [Fact]
    public async Task No_more_sessions_run_at_a_time_than_asked_for()
    {
        using var run = fleet.Coordinator.Run(TestRun.Where("app in (web,db)", parallel: 1));
        Assert.Equal(["db-1", "web-1", "web-2"], (await run.StartedAsync()).Targets.Select(target => target.Name));
        foreach (var (node, target) in new[] { (fleet.Alpha, 0u), (fleet.Alpha, 1u), (fleet.Beta, 2u) })
        {
            using var tool = await node.ToolAsync();
            Assert.Equal(target, (await run.NextAsync(RunEvent.EventOneofCase.SessionStarted)).SessionStarted.Target);
            await tool.ExitAsync((int)target);
            var ended = await run.SessionEndedAsync();
            Assert.Equal((target, (int)target), (ended.Target, ended.ExitCode));
        }

        await run.EndedAsync();
    }

    [Fact]
    public async Task A_session_that_takes_too_long_is_ended_and_told_as_timed_out()
    {
        var request = TestRun.In("web-1");
        request.TimeoutMs = 100;
        using var run = fleet.Coordinator.Run(request);
        await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);

        var failure = (await run.SessionEndedAsync()).Failure;
        Assert.Equal((124, "Timed out after 0.1 s; the tool was ended."), (failure.ExitCode, failure.Message));
        await tool.Session.Ended;
        Assert.Equal(StatusCode.Cancelled, await tool.BrokenAsync());
        await run.EndedAsync();
    }

    [Fact]
    public async Task When_the_client_leaves_every_session_ends_everywhere()
    {
        using var leave = new CancellationTokenSource();
        using var run = fleet.Coordinator.Run(TestRun.Where("app=web"), leave.Token);
        await run.StartedAsync();
        using var one = await fleet.Alpha.ToolAsync();
        using var other = await fleet.Beta.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);

        await leave.CancelAsync();
        foreach (var tool in new[] { one, other })
        {
            await tool.Session.Ended;
            Assert.Equal(StatusCode.Cancelled, await tool.BrokenAsync());
        }
    }

    [Fact]
    public async Task When_the_client_leaves_before_a_node_dialled_its_ticket_is_void()
    {
        using var leave = new CancellationTokenSource();
        using var run = fleet.Coordinator.Run(TestRun.In("web-1"), leave.Token);
        await run.StartedAsync();
        var session = await fleet.Alpha.SessionAsync();
        await leave.CancelAsync();
        await session.Ended;

        using var late = session.Dial();
        await late.PresentAsync();
        Assert.Equal(StatusCode.PermissionDenied, await late.BrokenAsync());
    }

    [Fact]
    public async Task A_stream_that_breaks_before_its_exit_is_a_failure_of_its_session_alone()
    {
        using var run = fleet.Coordinator.Run(TestRun.Where("app=web"));
        await run.StartedAsync();
        using var broken = await fleet.Alpha.ToolAsync();
        using var whole = await fleet.Beta.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);

        broken.Dispose();
        var lost = await run.SessionEndedAsync();
        Assert.Equal((0u, 125), (lost.Target, lost.Failure.ExitCode));
        Assert.Contains("node alpha", lost.Failure.Message);
        await whole.ExitAsync(0);
        Assert.Equal(SessionEnded.OutcomeOneofCase.ExitCode, (await run.SessionEndedAsync()).OutcomeCase);
        await run.EndedAsync();
    }

    [Fact]
    public async Task A_ticket_opens_one_stream()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        Assert.Equal(32, tool.Session.Start.Ticket.Length);

        using var second = tool.Session.Dial();
        await second.PresentAsync();
        Assert.Equal(StatusCode.PermissionDenied, await second.BrokenAsync());
        await tool.ExitAsync(0);
        Assert.Equal(0, (await run.SessionEndedAsync()).ExitCode);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(100_000)]
    public async Task A_ticket_that_was_made_up_opens_nothing(int length)
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        var session = await fleet.Alpha.SessionAsync();

        using var forged = session.Dial(Google.Protobuf.ByteString.CopyFrom(new byte[length]));
        await forged.PresentAsync();
        Assert.Equal(StatusCode.PermissionDenied, await forged.BrokenAsync());
    }

    [Fact]
    public async Task A_stream_that_begins_without_its_ticket_is_refused()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        using var stream = (await fleet.Alpha.SessionAsync()).Dial();
        await stream.SendAsync(new NodeFrame { Began = new SessionBegan() });
        Assert.Equal(StatusCode.PermissionDenied, await stream.BrokenAsync());
    }
}
