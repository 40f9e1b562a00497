using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>What a coordinator finds out about runs, and has forgotten.</summary>
public sealed class FleetRunsSpec : FleetSpec
{
    private readonly IActorRef _fleet;

    public FleetRunsSpec()
    {
        _fleet = Sys.ActorOf(FleetActor.Props(), "fleet");
        DescribeNode describe = Node.ExpectMsg<DescribeNode>();
        Node.Reply(new NodeDescribed { CorrelationId = describe.CorrelationId, Node = "node-1" });
    }

    [Fact]
    public void Runs_that_nodes_keep_are_listed()
    {
        _fleet.Tell(new RunQuery.List(""));

        Keep(new KeptRun { RunId = "run-a", Targets = 1, Done = 1 });

        var found = ExpectMsg<RunQuery.Found>();
        Assert.Equal("run-a", Assert.Single(found.Runs).Id.Value);
        Assert.Empty(found.Silent);
    }

    [Fact]
    public void A_node_that_does_not_answer_is_named()
    {
        _fleet.Tell(new RunQuery.List(""));
        Node.ExpectMsg<FindKeptRuns>();

        Advance(TimeSpan.FromSeconds(5));

        Assert.Equal("node-1", Assert.Single(ExpectMsg<RunQuery.Found>().Silent).Node);
    }

    [Fact]
    public void A_run_that_is_over_is_forgotten_on_every_node()
    {
        _fleet.Tell(new RunQuery.Remove("a"));
        Keep(new KeptRun { RunId = "run-a", Targets = 1, Done = 1 });
        RemoveRun remove = Node.ExpectMsg<RemoveRun>();
        Assert.Equal("run-a", remove.RunId);

        Node.Reply(new RunRemoved { CorrelationId = remove.CorrelationId, Node = "node-1", Problem = "The disk fails." });

        var removed = ExpectMsg<RunQuery.Removed>();
        Assert.Equal(("run-a", "The disk fails."), (removed.Run.Value, Assert.Single(removed.Silent).Problem));
    }

    [Theory]
    [InlineData("run-a", false)]
    [InlineData("run-b", true)]
    public void A_run_that_goes_on_or_is_not_there_is_not_forgotten(string id, bool notFound)
    {
        _fleet.Tell(new RunQuery.Remove(id));

        Keep(new KeptRun { RunId = "run-a", Targets = 1, Running = 1 });

        Assert.Equal(notFound, ExpectMsg<RunQuery.Rejected>().NotFound);
        Node.ExpectNoMsg(TimeSpan.Zero);
    }

    private void Keep(KeptRun run)
    {
        FindKeptRuns find = Node.ExpectMsg<FindKeptRuns>();
        Assert.Equal("", find.RunId);
        Node.Reply(new KeptRunsFound { CorrelationId = find.CorrelationId, Node = "node-1", Runs = { run } });
    }
}
