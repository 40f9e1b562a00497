using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>What a run does besides starting a tool in each target and waiting for its end.</summary>
public sealed class RunCourseSpec : RunSpec
{
    private const int Interrupt = 2;
    private const int User1 = 10;
    private const int Kill = 9;

    [Fact]
    public void A_dry_run_tells_the_targets_and_ends()
    {
        IActorRef run = Begin(Plan(Everything) with { Mode = RunMode.DryRun });

        Resolve(run, [Target(Self, "a"), Target(Self, "b")]);

        Assert.Equal(2, ExpectTold<RunEvent.Started>().Targets.Count);
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
        ExpectNothingMore();
    }

    [Fact]
    public void A_run_that_asks_starts_when_its_client_has_agreed()
    {
        IActorRef run = Begin(Plan(Everything) with { Asks = true });
        Resolve(run, [Target(Self, "a")]);
        ExpectTold<RunEvent.Started>();
        ExpectQuiet(run);

        run.Tell(new Run.Begin());
        ExpectStart(0);
        run.Tell(new Run.Begin());
        ExpectQuiet(run);
    }

    [Fact]
    public void A_run_whose_client_did_not_agree_starts_nothing()
    {
        IActorRef run = Begin(Plan(Everything) with { Asks = true });
        Resolve(run, [Target(Self, "a")]);
        ExpectTold<RunEvent.Started>();

        run.Tell(new Run.ClientLeft());

        ExpectFailed(0);
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
        ExpectNothingMore();
    }

    [Fact]
    public void There_is_nothing_to_ask_about_no_targets()
    {
        IActorRef run = Begin(Plan(Everything) with { Asks = true });
        Resolve(run, []);

        ExpectTold<RunEvent.Started>();
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_limited_selection_says_how_many_match()
    {
        IActorRef run = Begin(Plan(new RunTargets.Selected("", "") { Limit = 2 }));

        Resolve(run, [Target(Self, "a"), Target(Self, "b"), Target(Self, "c")]);

        var started = ExpectTold<RunEvent.Started>();
        Assert.Equal(["a", "b"], started.Targets.Select(target => target.Container.Name));
        Assert.Equal(3, started.Matched);
    }

    [Fact]
    public void A_failed_canary_keeps_the_others_from_starting()
    {
        IActorRef run = Begin(Plan(Everything) with { FanOut = new FanOut { Canary = 1 } });
        Resolve(run, [Target(Self, "a"), Target(Self, "b")]);
        ExpectTold<RunEvent.Started>();
        ExpectStart(0);

        run.Tell(new Run.StreamExited(0, new SessionOutcome.Exited(1)));

        ExpectEnded(0, new SessionOutcome.Exited(1));
        ExpectEnded(1, new SessionOutcome.Failure(125, "Not started: 1 of the first 1 failed."));
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void At_the_deadline_what_runs_is_ended_and_what_waits_is_not_started()
    {
        IActorRef run = Begin(Plan(Everything, parallel: 1) with { Deadline = Instant });
        Resolve(run, [Target(Self, "a"), Target(Self, "b")]);
        ExpectTold<RunEvent.Started>();
        ExpectStart(0);

        Advance(Instant);
        ExpectEnded(0, new SessionOutcome.Failure(124, "Ended: the run's deadline of 0.001 s has passed."));
        Node.ExpectMsg<EndSession>();
        ExpectEnded(1, new SessionOutcome.Failure(124, "Not started: the run's deadline of 0.001 s has passed."));
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_session_that_writes_too_much_is_ended()
    {
        IActorRef run = BeginSessions(targets: 1);
        ExpectStart(0);

        run.Tell(new Run.OutputFull(0));

        Assert.Contains("--max-bytes", ExpectFailed(0).Message, StringComparison.Ordinal);
        Node.ExpectMsg<EndSession>();
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_signal_goes_to_what_runs()
    {
        IActorRef run = BeginSessions(targets: 2, parallel: 1);
        ExpectStart(0);

        run.Tell(new Run.Signal(User1));

        Assert.Equal(new SignalSession { SessionId = Id.Session(0).Value, Signal = User1 }, Node.ExpectMsg<SignalSession>());
        Exit(run, 0);
        ExpectStart(1);
    }

    [Fact]
    public void After_an_interrupt_nothing_more_starts_and_what_runs_may_end_as_it_likes()
    {
        IActorRef run = BeginSessions(targets: 2, parallel: 1);
        ExpectStart(0);

        run.Tell(new Run.Signal(Interrupt));

        Node.ExpectMsg<SignalSession>();
        ExpectEnded(1, new SessionOutcome.Failure(125, "Not started: the run was interrupted."));
        Exit(run, 0);
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
    }

    [Fact]
    public void A_kill_is_not_a_signal_that_tools_get_but_the_end_of_their_sessions()
    {
        IActorRef run = BeginSessions(targets: 1);
        ExpectStart(0);

        run.Tell(new Run.Signal(Kill));

        Assert.Equal(new EndSession { SessionId = Id.Session(0).Value, Kill = true }, Node.ExpectMsg<EndSession>());
        run.Tell(new Run.StreamExited(0, new SessionOutcome.Exited(137)));
        ExpectEnded(0, new SessionOutcome.Exited(137));
        ExpectTold<RunEvent.Ended>();
    }

    [Theory]
    [InlineData(Interrupt)]
    [InlineData(Kill)]
    public void A_run_that_is_interrupted_before_it_knows_its_targets_ends(int signal)
    {
        IActorRef run = Begin(Everything);

        run.Tell(new Run.Signal(signal));

        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
    }

    [Fact]
    public void A_run_that_follows_takes_in_what_starts_later_and_each_only_once()
    {
        IActorRef run = BeginFollowing();
        RunTarget first = Target(Self, "a");
        Resolve(run, [first]);
        ExpectTold<RunEvent.Started>();
        ExpectStart(0);
        Exit(run, 0);

        RunTarget second = Target(Self, "b");
        ExpectLook(run);
        Resolve(run, [first, second]);

        Assert.Equal([second], ExpectTold<RunEvent.Joined>().Targets);
        ExpectStart(1);
        ExpectLook(run);
        Resolve(run, [first, second]);
        ExpectQuiet(run);
    }

    [Fact]
    public void A_run_that_follows_takes_a_restarted_container_for_another()
    {
        IActorRef run = BeginFollowing();
        RunTarget first = Target(Self, "a");
        Resolve(run, [first]);
        ExpectTold<RunEvent.Started>();
        ExpectStart(0);
        Exit(run, 0);

        ContainerDescription restarted = first.Container.Clone();
        restarted.StartedUnixMs++;
        ExpectLook(run);
        Resolve(run, [first with { Container = restarted }]);

        ExpectTold<RunEvent.Joined>();
        ExpectStart(1);
    }

    [Fact]
    public void A_run_that_follows_nothing_waits_for_something()
    {
        IActorRef run = BeginFollowing();
        Resolve(run, []);
        ExpectTold<RunEvent.Started>();
        ExpectQuiet(run);

        run.Tell(new Run.Signal(Interrupt));

        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
    }

    private void ExpectLook(IActorRef run)
    {
        ExpectQuiet(run);
        Advance(TimeSpan.FromSeconds(1));
        Fleet.ExpectMsg<FleetQuery.ListContainers>();
    }

    private IActorRef BeginFollowing()
    {
        IActorRef run = Begin(Plan(Everything) with { Mode = RunMode.Follow });
        Fleet.ExpectMsg<FleetQuery.ListContainers>();
        return run;
    }
}
