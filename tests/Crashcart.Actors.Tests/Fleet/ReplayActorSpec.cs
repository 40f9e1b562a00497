using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>What nodes keep of a run is read by a played client.</summary>
public sealed class ReplayActorSpec : RunSpec
{
    private static RunFacts Facts(int targets = 2, bool isLive = false, bool isKept = true, int running = 0) => new(
        Id, "tcpdump", "anna", DateTimeOffset.UnixEpoch, targets, running, Done: 0, Failed: 0, Bytes: 0, isLive, isKept);

    [Fact]
    public void Every_session_is_sent_by_its_node_and_the_end_of_the_last_is_the_end()
    {
        IActorRef replay = Begin(new ReplayPlan("1", Follow: false, EndsOnly: false));
        Find(replay, Facts());
        Keep(replay, Id, 1, 0);

        Assert.Equal(["name-of-kept-0", "name-of-kept-1"], ExpectTold<RunEvent.Started>().Targets.Select(target => target.Container.Name));
        foreach (int target in (int[])[0, 1])
        {
            ReplaySession asked = Node.ExpectMsg<ReplaySession>();
            Assert.Equal(($"run-1-{target}", RecordingPort.TicketOf(target).Secret, false), (asked.SessionId, asked.Ticket, asked.Follow));
            Began(replay, target);
            Exit(replay, target);
        }

        Assert.Empty(ExpectTold<RunEvent.Ended>().Missing);
        ExpectTerminated(replay);
        ExpectQuietNode();
    }

    [Fact]
    public void Sessions_that_begin_while_the_run_goes_on_join_until_it_is_over()
    {
        IActorRef replay = Begin(new ReplayPlan("run-1", Follow: true, EndsOnly: true));
        Find(replay, Facts(isLive: true));
        Keep(replay, Id, 0);
        ExpectTold<RunEvent.Started>();
        ReplaySession first = Node.ExpectMsg<ReplaySession>();
        Assert.True(first.Follow && first.EndsOnly);
        Began(replay, 0);
        Exit(replay, 0);
        ExpectQuiet(replay);

        Advance(TimeSpan.FromSeconds(1));
        Find(replay, Facts());
        Keep(replay, Id, 0, 1);

        Assert.Equal("name-of-kept-1", Assert.Single(ExpectTold<RunEvent.Joined>().Targets).Container.Name);
        Assert.Equal("run-1-1", Node.ExpectMsg<ReplaySession>().SessionId);
        Began(replay, 1);
        Exit(replay, 1);
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(replay);
    }

    [Fact]
    public void Containers_of_which_nothing_is_known_are_told()
    {
        IActorRef replay = Begin(new ReplayPlan("run-1", Follow: true, EndsOnly: false));
        Find(replay, Facts(targets: 3));
        Keep(replay, Id, 0);
        ExpectTold<RunEvent.Started>();
        Node.ExpectMsg<ReplaySession>();
        Began(replay, 0);
        Exit(replay, 0);

        Assert.Contains("2 of its 3 containers", Assert.Single(ExpectTold<RunEvent.Ended>().Missing).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_that_leaves_ends_nothing_but_the_reading()
    {
        IActorRef replay = Begin(new ReplayPlan("run-1", Follow: true, EndsOnly: false));
        Find(replay, Facts(targets: 1, running: 1));
        Keep(replay, Id, 0);
        ExpectTold<RunEvent.Started>();
        Node.ExpectMsg<ReplaySession>();

        replay.Tell(new Run.ClientLeft());

        ExpectFailed(0);
        ExpectTerminated(replay);
        ExpectQuietNode();
    }

    [Theory]
    [InlineData(0, true, "There is no run '9'")]
    [InlineData(1, false, "is not kept")]
    public void What_cannot_be_read_is_refused(int runs, bool notFound, string why)
    {
        IActorRef replay = Begin(new ReplayPlan("9", Follow: false, EndsOnly: false));
        Fleet.ExpectMsg<RunQuery.List>();

        replay.Tell(new RunQuery.Found([.. Enumerable.Repeat(Facts(isLive: true, isKept: false, running: 1) with { Id = new RunId("run-99") }, runs)], []));

        var rejected = ExpectTold<RunEvent.Rejected>();
        Assert.Equal(notFound, rejected.NotFound);
        Assert.Contains(why, rejected.Message, StringComparison.Ordinal);
        ExpectTerminated(replay);
    }

    [Fact]
    public void A_node_that_cannot_read_what_it_keeps_says_so()
    {
        IActorRef replay = Begin(new ReplayPlan("run-1", Follow: false, EndsOnly: false));
        Find(replay, Facts(targets: 1));
        Keep(replay, Id, 0);
        ExpectTold<RunEvent.Started>();
        ReplaySession asked = Node.ExpectMsg<ReplaySession>();

        replay.Tell(new SessionOver { SessionId = asked.SessionId, Ticket = asked.Ticket, Problem = "The disk fails." });

        Assert.Equal("The disk fails.", ExpectFailed(0).Message);
    }

    private IActorRef Begin(ReplayPlan plan) => Watch(Sys.ActorOf(ReplayActor.Props(plan, new RecordingPort(Port), Fleet)));

    private void Find(IActorRef replay, RunFacts facts)
    {
        Fleet.ExpectMsg<RunQuery.List>();
        replay.Tell(new RunQuery.Found([facts], []));
    }

    private void Keep(IActorRef replay, RunId run, params int[] targets)
    {
        FindKeptRuns question = Assert.IsType<FindKeptRuns>(Fleet.ExpectMsg<RunQuery.AskNodes>().Question("q"));
        Assert.Equal(run.Value, question.RunId);
        var kept = new KeptRun
        {
            RunId = run.Value,
            Sessions =
            {
                targets.Select(target => new KeptSession
                {
                    SessionId = run.Session(target).Value, RunId = run.Value, Target = target, ContainerId = $"id-{target}", Container = $"name-of-kept-{target}",
                }),
            },
        };
        replay.Tell(new RunQuery.NodesSaid(
            new Dictionary<Address, IWireMessage> { [Self.Address] = new KeptRunsFound { Node = "node-1", Runs = { kept } } }, []));
    }
}
