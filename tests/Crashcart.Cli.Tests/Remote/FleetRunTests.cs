using System.Text;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Cli.Output.Runs;
using Crashcart.Cli.Remote;
using Crashcart.Native;
using Google.Protobuf;

namespace Crashcart.Cli.Tests.Remote;

public sealed class FleetRunTests : IDisposable
{
    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();
    private readonly StringBuilder _told = new();

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public async Task Every_tool_ended_with_zero()
    {
        var status = await FollowAsync(Started(2), Output(0, "one\n"), Output(1, "two"), Exit(1, 0), Exit(0, 0), Ended());
        Assert.Equal(0, status);
        Assert.Equal("n/c0  | one\nn/c1  | two\n", Encoding.UTF8.GetString(_output.ToArray()));
        Assert.Equal("", _told.ToString());
    }

    [Fact]
    public async Task Who_failed_is_told_and_why()
    {
        var status = await FollowAsync(Started(3), Exit(0, 0), Exit(1, 2), Failed(2, 124, "timed out after 1 s"), Ended());
        Assert.Equal(124, status);
        Assert.Equal("crashcart: 2 failed:\n  n/c1  Exit status 2.\n  n/c2  timed out after 1 s\n", _told.ToString());
    }

    [Fact]
    public async Task A_target_that_is_lost_is_told_at_once_while_others_run()
    {
        var told = "";
        var status = await Run().FollowAsync(WithOneLost());
        Assert.Equal(125, status);
        Assert.Equal("crashcart: n/c1: Node n was lost.\n", told);

        async IAsyncEnumerable<RunEvent> WithOneLost()
        {
            await Task.Yield();
            yield return Started(2);
            yield return Failed(1, 125, "Node n was lost.");
            told = _told.ToString();
            yield return Exit(0, 0);
            yield return Ended();
        }
    }

    [Fact]
    public async Task Nothing_matched_is_a_sentence_and_3()
    {
        Assert.Equal(3, await FollowAsync(Started(0), Ended()));
        Assert.StartsWith("crashcart: No running container matches", _told.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_silent_node_is_told_and_is_125()
    {
        var started = Started(1);
        started.Started.Unanswered.Add(new Unanswered { Node = "m\e[H", Message = "did not answer in 2 s" });
        Assert.Equal(125, await FollowAsync(started, Exit(0, 0), Ended()));
        Assert.Equal("crashcart: 1 failed:\n  m\uFFFD[H  did not answer in 2 s\n", _told.ToString());
    }

    [Fact]
    public async Task A_run_that_breaks_off_names_the_targets_that_it_lost()
    {
        var run = Run();
        var status = await run.FollowAsync(BreakingOff());
        Assert.Equal(125, status);
        Assert.Equal("n/c1  | half\n", Encoding.UTF8.GetString(_output.ToArray()));
        Assert.Equal("crashcart: Lost the coordinator.\ncrashcart: 1 failed:\n  n/c1  Lost before its end was known.\n", _told.ToString());

        static async IAsyncEnumerable<RunEvent> BreakingOff()
        {
            await Task.Yield();
            yield return Started(2);
            yield return Output(1, "half");
            yield return Exit(0, 0);
            throw new CrashcartException(FailureReason.Unavailable, "Lost the coordinator.");
        }
    }

    [Fact]
    public async Task A_run_that_never_began_is_a_failure() => await Assert.ThrowsAsync<CrashcartException>(() => FollowAsync());

    [Fact]
    public async Task One_session_s_status_is_its_tool_s()
    {
        var started = 0;
        Assert.Equal(137, await ConsumeAsync(() => started++, Started(1), Output(0, "raw\e[2J"), Exit(0, 137), Ended()));
        Assert.Equal("raw\e[2J", Encoding.UTF8.GetString(_output.ToArray()));
        Assert.Equal(1, started);
        Assert.Equal(127, await ConsumeAsync(() => { }, Started(1), Failed(0, 127, "no tool"), Ended()));
        Assert.Equal(125, await ConsumeAsync(() => { }, Started(1)));
        Assert.Equal(125, await ConsumeAsync(() => { }, Started(0), Ended()));
    }

    private Task<int> ConsumeAsync(Action started, params RunEvent[] events) =>
        RemoteSession.ConsumeAsync(events.ToAsyncEnumerable(), _output, _error, started, new ImageWait(text => _told.Append(text), isTerminal: false), _ => { });

    private Task<int> FollowAsync(params RunEvent[] events) => Run().FollowAsync(events.ToAsyncEnumerable());

    private FleetRun Run()
    {
        var labels = new TargetLabels(colourOutput: false, colourError: false);
        return new FleetRun(new PrefixedOutput(new LineOutput(_output, _error, labels), labels), text => _told.Append(text));
    }

    private static RunEvent Started(int targets) => new()
    {
        Started = new RunStarted { RunId = "r", Targets = { Enumerable.Range(0, targets).Select(i => new Container { Node = "n", Name = $"c{i}" }) } },
    };

    private static RunEvent Output(uint target, string text) =>
        new() { Output = new Api.Output { Target = target, Data = ByteString.CopyFromUtf8(text) } };

    private static RunEvent Exit(uint target, int code) => new() { SessionEnded = new SessionEnded { Target = target, ExitCode = code } };

    private static RunEvent Failed(uint target, int code, string message) =>
        new() { SessionEnded = new SessionEnded { Target = target, Failure = new Failure { ExitCode = code, Message = message } } };

    private static RunEvent Ended() => new() { Ended = new RunEnded() };
}
