using Akka.Actor;
using Akka.Cluster;
using Akka.TestKit;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class RunActorSpec : RunSpec
{
    [Fact]
    public void A_selection_asks_the_fleet_for_what_it_selects()
    {
        Begin(new RunTargets.Selected("app=web", "node-*"));

        Assert.Equal(new FleetQuery.ListContainers("app=web", "node-*"), Fleet.ExpectMsg<FleetQuery.ListContainers>());
    }

    [Fact]
    public void A_single_container_is_asked_for_on_its_node()
    {
        Begin(new RunTargets.One("node-1", "web"));

        Assert.Equal(new FleetQuery.ListContainers("", "node-1", "web"), Fleet.ExpectMsg<FleetQuery.ListContainers>());
    }

    [Fact]
    public void A_single_container_that_is_not_there_is_rejected_with_the_silent_nodes()
    {
        IActorRef run = Begin(new RunTargets.One(null, "web"));

        Resolve(run, [], new SilentNode("node-2", "The node is unreachable."));

        var rejected = ExpectTold<RunEvent.Rejected>();
        Assert.True(rejected.NotFound);
        Assert.EndsWith("not every node could say: node-2 (The node is unreachable).", rejected.Message, StringComparison.Ordinal);
        ExpectTerminated(run);
        ExpectNothingMore();
    }

    [Fact]
    public void A_single_container_that_could_be_several_is_rejected()
    {
        IActorRef run = Begin(new RunTargets.One(null, "id-of"));

        Resolve(run, [Target(Self, "a"), Target(Self, "b")]);

        Assert.False(ExpectTold<RunEvent.Rejected>().NotFound);
        ExpectTerminated(run);
        ExpectNothingMore();
    }

    [Fact]
    public void A_single_container_is_chosen_by_its_whole_name()
    {
        IActorRef run = Begin(new RunTargets.One(null, "web"));
        RunTarget web = Target(Self, "web");

        Resolve(run, [Target(Self, "web-2"), web]);

        Assert.Equal([web], ExpectTold<RunEvent.Started>().Targets);
        Assert.Equal("id-of-web", ExpectStart(0).ContainerId);
    }

    [Fact]
    public void A_selection_of_nothing_is_started_and_ended()
    {
        IActorRef run = Begin(new RunTargets.Selected("app=web", ""));

        Resolve(run, [], new SilentNode("node-2", "The node is unreachable."));

        var started = ExpectTold<RunEvent.Started>();
        Assert.Empty(started.Targets);
        Assert.Equal([new SilentNode("node-2", "The node is unreachable.")], started.Silent);
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
        ExpectNothingMore();
    }

    [Fact]
    public void A_session_is_started_with_its_ticket_and_ends_with_its_tool()
    {
        IActorRef run = Begin(Everything);
        Resolve(run, [Target(Self, "web")]);
        Assert.Equal(Id, ExpectTold<RunEvent.Started>().Run);
        Port.ExpectMsg(new RecordingPort.Opened(0));

        StartSession start = Node.ExpectMsg<StartSession>();
        Assert.Equal(
            new StartSession
            {
                SessionId = "run-1-0",
                RunId = "run-1",
                ContainerId = "id-of-web",
                Tool = Tool,
                StreamEndpoint = RecordingPort.TicketOf(0).Endpoint,
                Ticket = RecordingPort.TicketOf(0).Secret,
                Chosen = new ContainerLabels(),
            },
            start);
        Node.Reply(new SessionAccepted { SessionId = "run-1-0" });
        run.Tell(new Run.StreamBegan(0));
        Assert.Equal(new RunEvent.SessionStarted(0, new SessionId("run-1-0")), ExpectTold<RunEvent.SessionStarted>());
        run.Tell(new Run.StreamExited(0, new SessionOutcome.Exited(130)));

        ExpectEnded(0, new SessionOutcome.Exited(130));
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
        ExpectNothingMore();
    }

    [Fact]
    public void Sessions_are_given_the_image_that_the_run_is_for()
    {
        var image = new WantedImage { Digest = "sha256:a", Sources = { new ImageSource { Endpoint = "http://127.0.0.1:1" } } };
        IActorRef run = Sys.ActorOf(RunActor.Props(Plan(Everything) with { Image = image }, new RecordingPort(Port), Fleet));
        Resolve(run, [Target(Self, "web") with { LacksImage = true }]);

        Assert.Equal(image, ExpectStart(0).Image);
    }

    [Fact]
    public void Nodes_that_lack_an_image_are_offered_the_fleet_s_own()
    {
        var image = new WantedImage { Digest = "sha256:a", OnlyWithoutOwn = true };
        IActorRef run = Sys.ActorOf(RunActor.Props(Plan(Everything), new RecordingPort(Port) { DefaultImage = image }, Fleet));
        Resolve(run, [Target(Self, "web") with { LacksImage = true }]);

        Assert.Equal(image, ExpectStart(0).Image);
    }

    [Fact]
    public void Nodes_that_have_an_image_are_offered_none()
    {
        IActorRef run = Sys.ActorOf(RunActor.Props(Plan(Everything), new RecordingPort(Port) { DefaultImage = new WantedImage() }, Fleet));
        Resolve(run, [Target(Self, "web")]);

        Assert.Null(ExpectStart(0).Image);
    }

    [Fact]
    public void The_time_that_an_image_takes_to_come_does_not_count()
    {
        IActorRef run = BeginSessions(1);
        ExpectStart(0);
        for (int second = 0; second < 60; second += 15)
        {
            Advance(TimeSpan.FromSeconds(15));
            run.Tell(new SessionWaits { SessionId = "run-1-0", Image = "tools:1", Received = second, Size = 60, Ticket = RecordingPort.TicketOf(0).Secret });
            Assert.Equal(new RunEvent.SessionWaits(0, "tools:1", second, 60), ExpectTold<RunEvent.SessionWaits>());
        }

        Advance(StartPatience);
        Assert.Equal(125, ExpectFailed(0).Code);
    }

    [Fact]
    public void Who_waits_after_its_end_or_in_another_run_or_without_its_ticket_is_not_told()
    {
        IActorRef run = BeginSessions(2);
        Exit(run, 0);
        run.Tell(new SessionWaits { SessionId = "run-1-0", Ticket = RecordingPort.TicketOf(0).Secret });
        run.Tell(new SessionWaits { SessionId = "run-2-0", Ticket = RecordingPort.TicketOf(0).Secret });
        run.Tell(new SessionWaits { SessionId = "run-1-1", Ticket = RecordingPort.TicketOf(0).Secret });
        Began(run, 1);
        run.Tell(new SessionWaits { SessionId = "run-1-1", Ticket = RecordingPort.TicketOf(1).Secret });
        Exit(run, 1);

        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_tool_that_was_not_started_ends_its_session_without_a_beginning()
    {
        IActorRef run = BeginSessions(1);
        var notFound = new SessionOutcome.Failure(127, "There is no tool 'tcpdmp'.");

        run.Tell(new Run.StreamExited(0, notFound));

        ExpectEnded(0, notFound);
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void No_more_sessions_than_the_limit_run_at_one_time()
    {
        IActorRef run = BeginSessions(4, parallel: 2);
        ExpectStart(0);
        ExpectStart(1);
        ExpectQuiet(run);

        Exit(run, 1);
        ExpectStart(2);
        ExpectQuiet(run);
        Exit(run, 0);
        ExpectStart(3);
        Exit(run, 3);
        Exit(run, 2);

        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
        Assert.Equal(2, Widest);
    }

    [Fact]
    public void A_session_that_does_not_begin_in_time_is_ended_and_given_up()
    {
        IActorRef run = BeginSessions(1);
        ExpectStart(0);

        Advance(StartPatience - Instant);
        ExpectQuiet(run);
        Advance(Instant);

        Assert.Equal("run-1-0", Node.ExpectMsg<EndSession>().SessionId);
        SessionOutcome.Failure failure = ExpectFailed(0);
        Assert.Equal(125, failure.Code);
        Assert.Equal("Node name-of-127.0.0.1 did not start the tool within 20 s; its log says why.", failure.Message);
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
    }

    [Fact]
    public void A_session_that_has_begun_may_last_without_a_timeout()
    {
        IActorRef run = BeginSessions(1);
        ExpectStart(0);
        Began(run, 0);

        Advance(TimeSpan.FromDays(7));

        ExpectQuiet(run);
        Exit(run, 0);
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_session_that_outlasts_its_timeout_is_ended_on_its_node_and_gives_124()
    {
        IActorRef run = BeginSessions(1, timeout: Timeout);
        ExpectStart(0);
        Began(run, 0);

        Advance(Timeout - Instant);
        ExpectQuiet(run);
        Advance(Instant);

        Assert.Equal("run-1-0", Node.ExpectMsg<EndSession>().SessionId);
        Assert.Equal(new SessionOutcome.Failure(124, "Timed out after 90 s; the tool was ended."), ExpectFailed(0));
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
    }

    [Fact]
    public void The_timeout_is_counted_from_each_sessions_own_beginning()
    {
        IActorRef run = BeginSessions(2, timeout: Timeout);
        ExpectStart(0);
        ExpectStart(1);
        Began(run, 0);
        Advance(StartPatience - Instant);
        Began(run, 1);
        Advance(Timeout - StartPatience + Instant);

        Assert.Equal("run-1-0", Node.ExpectMsg<EndSession>().SessionId);
        Assert.Equal(124, ExpectFailed(0).Code);
        ExpectQuiet(run);
    }

    [Fact]
    public void What_comes_of_a_session_after_its_timeout_is_not_told()
    {
        IActorRef run = BeginSessions(2, timeout: Timeout);
        Began(run, 0);
        Advance(StartPatience - Instant);
        Began(run, 1);
        Advance(Timeout - StartPatience + Instant);
        Assert.Equal(124, ExpectFailed(0).Code);

        TellLate(run, 0);
        Exit(run, 1);

        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
    }

    [Fact]
    public void What_comes_of_a_session_after_its_exit_is_not_told()
    {
        IActorRef run = BeginSessions(2);
        Exit(run, 0);

        TellLate(run, 0);
        Exit(run, 1);

        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_session_whose_stream_breaks_is_ended_on_its_node_and_gives_125()
    {
        IActorRef run = BeginSessions(1);
        ExpectStart(0);
        Began(run, 0);

        run.Tell(new Run.StreamLost(0));

        Assert.Equal("run-1-0", Node.ExpectMsg<EndSession>().SessionId);
        SessionOutcome.Failure failure = ExpectFailed(0);
        Assert.Equal(125, failure.Code);
        Assert.Contains("name-of-127.0.0.1", failure.Message, StringComparison.Ordinal);
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
    }

    [Fact]
    public void A_node_that_could_not_begin_the_session_is_quoted()
    {
        IActorRef run = BeginSessions(1);
        ExpectStart(0);

        Node.Reply(new SessionOver { SessionId = "run-1-0", Problem = "There is no image at /image.", Ticket = RecordingPort.TicketOf(0).Secret });

        ExpectEnded(0, new SessionOutcome.Failure(125, "There is no image at /image."));
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
        ExpectNothingMore();
    }

    [Fact]
    public void A_session_that_is_over_without_a_problem_ends_by_its_exit_frame()
    {
        IActorRef run = BeginSessions(1);
        ExpectStart(0);
        Began(run, 0);

        Node.Reply(new SessionOver { SessionId = "run-1-0" });
        run.Tell(new Run.StreamExited(0, new SessionOutcome.Exited(3)));

        ExpectEnded(0, new SessionOutcome.Exited(3));
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void The_end_of_another_runs_session_is_no_business_of_this_one()
    {
        IActorRef run = BeginSessions(1);

        run.Tell(new SessionOver { SessionId = "run-2-0", Problem = "It was ended." });
        Exit(run, 0);

        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void The_end_of_a_session_is_believed_of_nobody_but_the_node_that_was_asked()
    {
        IActorRef run = BeginSessions(2);
        ExpectStart(0);
        var over = new SessionOver { SessionId = "run-1-0", Problem = "It was ended." };

        // The sender of the second is right, which a peer can write as well.
        run.Tell(over);
        Node.Reply(new SessionOver(over) { Ticket = RecordingPort.TicketOf(1).Secret });
        ExpectStart(1);

        ExpectQuiet(run);
        Exit(run, 0);
    }

    [Fact]
    public void A_client_that_leaves_ends_every_running_session_and_then_the_run()
    {
        IActorRef run = BeginSessions(3, parallel: 2);
        ExpectStart(0);
        ExpectStart(1);

        run.Tell(new Run.ClientLeft());

        Assert.Equal(["run-1-0", "run-1-1"], [Node.ExpectMsg<EndSession>().SessionId, Node.ExpectMsg<EndSession>().SessionId]);
        ExpectAllFail(3);
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
        ExpectNothingMore();
    }

    [Fact]
    public void A_client_that_leaves_before_the_targets_are_known_ends_the_run()
    {
        IActorRef run = Begin(Everything);

        run.Tell(new Run.ClientLeft());

        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
        ExpectNothingMore();
    }

    [Fact]
    public void Whatever_stops_the_run_ends_what_it_started()
    {
        IActorRef run = BeginSessions(1);
        ExpectStart(0);

        Sys.Stop(run);

        Assert.Equal("run-1-0", Node.ExpectMsg<EndSession>().SessionId);
        Assert.Equal(new SessionOutcome.Failure(125, "The coordinator ended the run."), ExpectFailed(0));
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_run_that_is_over_has_nothing_left_to_end()
    {
        IActorRef run = BeginSessions(1);
        ExpectStart(0);
        Exit(run, 0);
        ExpectTold<RunEvent.Ended>();

        ExpectTerminated(run);

        ExpectNothingMore();
    }

    [Fact]
    public void A_run_that_is_rejected_leaves_others_their_turn()
    {
        IActorRef runs = Sys.ActorOf(RunsActor.Props(Fleet));
        runs.Tell(new FleetQuery.StartRun(Plan(new RunTargets.One("node-1", "web")), new RecordingPort(Port)), TestActor);
        IActorRef run = Watch(ExpectMsg<FleetQuery.RunAccepted>().Run);

        Resolve(run, []);

        ExpectTold<RunEvent.Rejected>();
        ExpectTerminated(run);
        runs.Tell(new FindLiveRuns { CorrelationId = "q" });
        Assert.Empty(ExpectMsg<LiveRunsFound>().Runs);
    }

    [Fact]
    public void A_run_that_fails_ends_what_it_started_and_is_not_begun_again()
    {
        IActorRef runs = Sys.ActorOf(RunsActor.Props(Fleet));
        runs.Tell(new FleetQuery.StartRun(Plan(Everything), new RecordingPort(Port) { Broken = 1 }), TestActor);
        IActorRef run = Watch(ExpectMsg<FleetQuery.RunAccepted>().Run);
        Fleet.ExpectMsg<FleetQuery.ListContainers>();

        EventFilter.Exception<InvalidOperationException>().ExpectOne(() => Resolve(run, [Target(Self, "a"), Target(Self, "b")]));

        Assert.Equal("run-1-0", Node.ExpectMsg<EndSession>().SessionId);
        ExpectTold<RunEvent.Started>();
        ExpectAllFail(2);
        ExpectTold<RunEvent.Ended>();
        ExpectTerminated(run);
        Fleet.Tell(Marker.Instance);
        Fleet.ExpectMsg<Marker>();
    }

    [Fact]
    public void A_node_that_leaves_the_cluster_fails_its_own_targets_only()
    {
        Member other = Stranger("10.0.0.2", ClusterSettings.NodeRole);
        IActorRef run = Begin(Everything);
        Resolve(run, [Target(Self, "a"), Target(other, "b")]);
        ExpectTold<RunEvent.Started>();

        run.Tell(Removal(other));

        SessionOutcome.Failure failure = ExpectFailed(1);
        Assert.Equal(125, failure.Code);
        Assert.StartsWith("Node name-of-10.0.0.2 was lost during the session", failure.Message, StringComparison.Ordinal);
        Exit(run, 0);
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void Targets_that_wait_for_a_lost_node_fail_at_once()
    {
        Member other = Stranger("10.0.0.2", ClusterSettings.NodeRole);
        IActorRef run = Begin(Everything, parallel: 1);
        Resolve(run, [Target(other, "a"), Target(other, "b"), Target(other, "c"), Target(Self, "d")]);
        ExpectTold<RunEvent.Started>();

        run.Tell(Removal(other));

        ExpectFailed(0);
        Assert.Equal(
            new SessionOutcome.Failure(125, "Node name-of-10.0.0.2 was lost before the session began. Run it again when the node is back."),
            ExpectFailed(1));
        ExpectFailed(2);
        ExpectStart(3);
        Exit(run, 3);
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_policy_that_is_changed_holds_for_what_has_not_begun()
    {
        var policy = new SettablePolicy();
        var access = new TargetAccess(policy, new PolicyQuestion(PolicySubject.User("alice", []), PolicyVerb.Exec)) { Signer = new PlainSigner() };
        IActorRef run = Begin(Plan(Everything, parallel: 1) with { Access = access });
        Resolve(run, [Target(Self, "a"), Target(Self, "b")]);
        ExpectTold<RunEvent.Started>();
        Grant grant = Grant.Parser.ParseFrom(Node.ExpectMsg<Granted>().Grant);
        Assert.Equal((Target(Self, "a").Node, "user:alice", "exec", Id.Session(0).Value), (grant.Node, grant.Subject, grant.Verb, grant.Start.SessionId));

        policy.Allows = false;
        Exit(run, 0);

        Assert.StartsWith("The fleet's policy was changed before the session began", ExpectFailed(1).Message, StringComparison.Ordinal);
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_node_that_is_marked_as_lost_fails_its_targets_before_it_is_removed()
    {
        Member other = Stranger("10.0.0.2", ClusterSettings.NodeRole);
        IActorRef run = Begin(Everything);
        Resolve(run, [Target(other, "a")]);
        ExpectTold<RunEvent.Started>();

        run.Tell(new ClusterEvent.MemberDowned(other.Copy(MemberStatus.Down)));

        ExpectFailed(0);
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void A_node_that_is_lost_between_its_answer_and_its_first_session_fails_its_targets_at_once()
    {
        Member other = Stranger("10.0.0.2", ClusterSettings.NodeRole);
        IActorRef run = Begin(Everything);

        run.Tell(Removal(other));
        Resolve(run, [Target(other, "a"), Target(Self, "b")]);

        ExpectTold<RunEvent.Started>();
        Assert.StartsWith("Node name-of-10.0.0.2 was lost before the session began", ExpectFailed(0).Message, StringComparison.Ordinal);
        ExpectStart(1);
        Exit(run, 1);
        ExpectTold<RunEvent.Ended>();
    }

    [Fact]
    public void Targets_of_a_node_that_came_back_are_started()
    {
        IActorRef run = Begin(Everything, parallel: 1);
        Resolve(run, [Target(Self, "a"), Target(Stranger("10.0.0.2"), "b"), Target(Self, "c")]);
        ExpectTold<RunEvent.Started>();
        ExpectStart(0);

        run.Tell(Removal(Self));
        run.Tell(new ClusterEvent.MemberUp(Self));
        ExpectFailed(0);
        Node.ExpectMsg<EndSession>();
        Exit(run, 1);

        ExpectStart(2);
    }
}
