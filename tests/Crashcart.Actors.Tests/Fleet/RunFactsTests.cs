using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class RunFactsTests
{
    [Fact]
    public void What_several_nodes_keep_is_added_up()
    {
        RunFacts run = Assert.Single(RunFacts.Merge([], [Kept("run-a", targets: 3, done: 1, bytes: 5), Kept("run-a", targets: 5, running: 1, failed: 1, bytes: 6)]));

        Assert.Equal((5, 1, 1, 1, 2, 11L, false), (run.Targets, run.Running, run.Done, run.Failed, run.Others, run.Bytes, run.IsOver));
    }

    [Fact]
    public void A_coordinator_knows_better_than_nodes_how_its_run_is()
    {
        var live = new LiveRun { RunId = "run-a", Targets = 9, Waiting = 6, Running = 1, Done = 1, Failed = 1, Kept = true };

        RunFacts run = Assert.Single(RunFacts.Merge([live], [Kept("run-a", targets: 3, done: 2, bytes: 5)]));

        Assert.Equal((9, 1, 1, 1, 6, 5L, true, true), (run.Targets, run.Running, run.Done, run.Failed, run.Others, run.Bytes, run.IsLive, run.IsKept));
    }

    [Fact]
    public void The_newest_comes_first()
    {
        var runs = RunFacts.Merge([new LiveRun { RunId = "run-b", SinceUnixMs = 2 }], [Kept("run-a", since: 3), Kept("run-c", since: 1)]);

        Assert.Equal(["run-a", "run-b", "run-c"], runs.Select(run => run.Id.Value));
    }

    [Theory]
    [InlineData("run-ab", "run-ab")]
    [InlineData("ab", null)]
    [InlineData("abc", "run-abc")]
    [InlineData("run-b", "run-b")]
    [InlineData("x", null)]
    public void So_much_of_an_id_as_no_other_has_is_enough(string text, string? meant)
    {
        var runs = RunFacts.Merge([], [Kept("run-ab"), Kept("run-abc"), Kept("run-b")]);

        Assert.Equal(meant is not null, RunFacts.TryChoose(new RunQuery.Found(runs, []), text, out RunFacts? run, out RunQuery.Rejected? rejection));
        Assert.Equal((meant, text == "x"), (run?.Id.Value, rejection?.NotFound ?? false));
    }

    [Fact]
    public void A_run_may_be_where_nobody_answered()
    {
        var found = new RunQuery.Found([], [new SilentNode("node-1", "The node did not answer within 5 s.")]);

        Assert.False(RunFacts.TryChoose(found, "x", out _, out RunQuery.Rejected? rejection));

        Assert.False(rejection.NotFound);
        Assert.EndsWith("node-1: The node did not answer within 5 s.", rejection.Message, StringComparison.Ordinal);
    }

    private static KeptRun Kept(string id, int targets = 1, int running = 0, int done = 0, int failed = 0, long bytes = 0, long since = 0) =>
        new() { RunId = id, Targets = targets, Running = running, Done = done, Failed = failed, Bytes = bytes, SinceUnixMs = since };
}
