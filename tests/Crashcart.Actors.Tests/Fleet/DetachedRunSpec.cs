using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>Runs that go on without their client.</summary>
public sealed class DetachedRunSpec : RunSpec
{
    private static RunPlan Detached => Plan(Everything) with { Keep = new RunKeep(1000), By = "anna" };

    [Fact]
    public void The_client_is_free_as_soon_as_the_run_has_begun_and_nodes_are_told_what_to_keep()
    {
        BeginDetached(Detached with { Timeout = Timeout, Deadline = TimeSpan.FromMinutes(5) }, targets: 2);

        StartSession start = ExpectStart(0);
        Assert.Equal(("", true), (start.StreamEndpoint, start.Ticket.Length == 32));
        Assert.Equal(
            (1000, 90_000, 300_000, "anna", "web-0", 0, 2),
            (start.Keep.MaxBytes, start.Keep.TimeoutMs, start.Keep.DeadlineMs, start.Keep.By, start.Keep.Container, start.Keep.Target, start.Keep.Targets));
        Assert.NotEqual(start.Ticket, ExpectStart(1).Ticket);
        Assert.Empty(Open);
    }

    [Fact]
    public void It_goes_on_when_its_client_leaves_and_starts_the_next_when_a_node_tells_an_end()
    {
        IActorRef run = BeginDetached(Detached with { FanOut = new FanOut { Parallel = 1 } }, targets: 2);
        StartSession first = ExpectStart(0);

        run.Tell(new Run.ClientLeft());
        run.Tell(new SessionRuns { SessionId = first.SessionId, Ticket = first.Ticket });
        run.Tell(Over(first, new SessionEnd { ExitCode = 3 }));

        StartSession second = ExpectStart(1);
        run.Tell(Over(second, new SessionEnd { ExitCode = 0 }));
        ExpectTerminated(run);
        ExpectQuietNode();
    }

    [Fact]
    public void Nobody_tells_an_end_who_has_not_the_session_s_ticket()
    {
        IActorRef run = BeginDetached(Detached, targets: 1);
        StartSession start = ExpectStart(0);

        run.Tell(new SessionOver { SessionId = start.SessionId, Ticket = ByteString.CopyFromUtf8("guess"), End = new SessionEnd() });
        ExpectQuiet(run);
        run.Tell(Over(start, new SessionEnd()));

        ExpectTerminated(run);
    }

    [Fact]
    public void A_canary_that_failed_keeps_the_tool_from_the_others()
    {
        IActorRef run = BeginDetached(Detached with { FanOut = new FanOut { Canary = 1 } }, targets: 2);
        StartSession canary = ExpectStart(0);

        run.Tell(Over(canary, new SessionEnd { ExitCode = 125, Failure = "It wrote too much." }));

        ExpectTerminated(run);
        ExpectQuietNode();
    }

    [Fact]
    public void A_coordinator_that_stops_leaves_what_runs_to_the_nodes()
    {
        IActorRef run = BeginDetached(Detached, targets: 1);
        ExpectStart(0);

        Sys.Stop(run);

        ExpectTerminated(run);
        ExpectQuietNode();
    }

    [Fact]
    public void A_run_that_is_killed_ends_what_runs_and_says_why()
    {
        IActorRef run = BeginDetached(Detached with { FanOut = new FanOut { Parallel = 1 } }, targets: 2);
        ExpectStart(0);

        run.Tell(new Run.Cancel("It was killed by anna."));

        Assert.Equal(new EndSession { SessionId = "run-1-0", Reason = "It was killed by anna." }, Node.ExpectMsg<EndSession>());
        ExpectTerminated(run);
        ExpectQuietNode();
    }

    [Fact]
    public void After_the_deadline_no_more_start_and_nodes_end_what_runs()
    {
        IActorRef run = BeginDetached(Detached with { FanOut = new FanOut { Parallel = 1 }, Deadline = TimeSpan.FromSeconds(10) }, targets: 2);
        StartSession first = ExpectStart(0);
        run.Tell(new SessionRuns { SessionId = first.SessionId, Ticket = first.Ticket });
        ExpectQuiet(run);

        Advance(TimeSpan.FromSeconds(10));
        ExpectFailed(1);
        ExpectQuiet(run);
        run.Tell(Over(first, new SessionEnd { ExitCode = 124, Failure = "Ended: the run's deadline has passed." }));

        ExpectTerminated(run);
        ExpectQuietNode();
    }

    [Fact]
    public void A_client_that_leaves_before_it_has_agreed_ends_it()
    {
        IActorRef run = Begin(Detached with { Asks = true });
        Resolve(run, [Target(Self, "a")]);
        ExpectTold<RunEvent.Started>();

        run.Tell(new Run.ClientLeft());

        ExpectTerminated(run);
        ExpectQuietNode();
    }

    [Fact]
    public void Others_can_ask_which_runs_go_on()
    {
        IActorRef runs = Sys.ActorOf(RunsActor.Props(Fleet));
        runs.Tell(new FleetQuery.StartRun(Detached with { FanOut = new FanOut { Parallel = 2 } }, new RecordingPort(Port)), TestActor);
        IActorRef run = Watch(ExpectMsg<FleetQuery.RunAccepted>().Run);
        Resolve(run, [Target(Self, "a"), Target(Self, "b"), Target(Self, "c"), Target(Self, "d")]);
        StartSession first = ExpectStart(0);
        ExpectStart(1);
        run.Tell(Over(first, new SessionEnd()));
        ExpectStart(2);

        runs.Tell(new FindLiveRuns { CorrelationId = "q" });

        LiveRun live = Assert.Single(ExpectMsg<LiveRunsFound>(found => Assert.Equal("q", found.CorrelationId)).Runs);
        Assert.Equal(("run-1", "tcpdump", "anna", 4, 1, 2, 1, 0), (live.RunId, live.Tool, live.By, live.Targets, live.Waiting, live.Running, live.Done, live.Failed));
        run.Tell(new Run.Cancel("It was killed by anna."));
        ExpectTerminated(run);
        AwaitAssert(() =>
        {
            runs.Tell(new FindLiveRuns());
            Assert.Empty(ExpectMsg<LiveRunsFound>().Runs);
        });
    }

    private IActorRef BeginDetached(RunPlan plan, int targets)
    {
        IActorRef run = Begin(plan);
        Resolve(run, [.. Enumerable.Range(0, targets).Select(n => Target(Self, $"web-{n}"))]);
        ExpectTold<RunEvent.Started>();
        ExpectTold<RunEvent.Ended>();
        return run;
    }

    private static SessionOver Over(StartSession start, SessionEnd end) => new() { SessionId = start.SessionId, Ticket = start.Ticket, End = end };
}
