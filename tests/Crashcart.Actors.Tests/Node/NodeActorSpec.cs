using Akka.Actor;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Tests.Node.Doubles;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Node;

public sealed class NodeActorSpec : NodeSpec
{
    private readonly ScriptedCordon _cordon = new();

    [Fact]
    public void Describes_the_node()
    {
        Runtime.Run(Web);
        var node = Start();

        AwaitAssert(() =>
        {
            node.Tell(new DescribeNode { CorrelationId = "c" }, TestActor);
            var expected = new NodeDescribed
            {
                CorrelationId = "c",
                Node = "node-1",
                Version = "0.1.0",
                Kernel = "6.1",
                Architecture = "x64",
                Runtimes = { new RuntimeStatus { Name = "docker", Version = "20.10" } },
                Containers = 1,
                ImageDigests = { "sha256:image-1" },
                Images = { new HeldImage { Digest = "sha256:image-1", Size = 1000, Own = true } },
            };
            Assert.Equal(expected, ExpectMsg<NodeDescribed>());
        });
    }

    [Fact]
    public void Finds_containers()
    {
        Runtime.Run(Web);
        var node = Start();

        node.Tell(new FindContainers { Selector = "app=web" }, TestActor);

        Assert.Equal("web", Assert.Single(ExpectMsg<ContainersFound>().Containers).Name);
    }

    [Fact]
    public void Runs_a_session_and_counts_it()
    {
        Runtime.Run(Web);
        var node = Start();
        node.Tell(Session("s1"), TestActor);
        ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.Equal(1, Sessions(node)));

        Tools.Tool.Exit(0);

        ExpectMsg<SessionOver>();
        AwaitAssert(() => Assert.Equal(0, Sessions(node)));
    }

    [Fact]
    public void Takes_a_session_once_when_it_is_asked_twice()
    {
        Runtime.Run(Web);
        var node = Start();
        node.Tell(Session("s1"), TestActor);
        node.Tell(Session("s1"), TestActor);

        ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));
        Assert.Equal(1, Sessions(node));
    }

    [Fact]
    public void Ends_a_session_that_somebody_names()
    {
        Runtime.Run(Web);
        var node = Start();
        node.Tell(Session("s1"), TestActor);
        ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));

        node.Tell(new EndSession { SessionId = "s1", Reason = "It was killed by somebody." }, TestActor);

        Assert.Equal("s1", ExpectMsg<SessionOver>().SessionId);
        Assert.Equal("It was killed by somebody.", Calls.Why);
    }

    [Fact]
    public void Says_that_a_session_is_over_which_it_does_not_know()
    {
        var node = Start();

        node.Tell(new EndSession { SessionId = "s9" }, TestActor);

        Assert.Equal(("s9", "There is no such session on the node."), Over(ExpectMsg<SessionOver>()));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    public void Refuses_a_session_without_a_proper_id(string id)
    {
        var node = Start();

        node.Tell(Session(id), TestActor);

        Assert.Equal((id, "The request to start it is malformed."), Over(ExpectMsg<SessionOver>()));
    }

    [Fact]
    public void Ends_all_sessions_and_takes_no_more_when_it_drains()
    {
        Runtime.Run(Web);
        var (node, run) = (Start(), CreateTestProbe());
        node.Tell(Session("s1"), run);
        run.ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));

        node.Tell(new NodeActor.Drain(TimeSpan.Zero), TestActor);

        ExpectMsg<NodeActor.Drained>();
        run.ExpectMsg<SessionOver>();
        Assert.True(Tools.Tool.IsDisposed);
        Assert.Equal("Node node-1 is stopping.", Calls.Why);
        node.Tell(Session("s2"), TestActor);
        Assert.Equal(("s2", "Node node-1 is stopping and takes no sessions."), Over(ExpectMsg<SessionOver>()));
    }

    [Fact]
    public void Gives_tools_the_time_that_a_drain_allows_and_less_when_it_is_told_again()
    {
        Runtime.Run(Web);
        Tools = new ScriptedTools { Tool = new ScriptedTool { Obeys = false } };
        var (node, run) = (Start(), CreateTestProbe());
        node.Tell(Session("s1"), run);
        run.ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));
        node.Tell(new NodeActor.Drain(TimeSpan.FromDays(1)), TestActor);
        AwaitAssert(() => Assert.NotEmpty(Tools.Tool.Signals));
        Assert.Equal(("draining", 1), (Describe(node).Duty, Sessions(node)));
        Assert.False(Tools.Tool.WasKilled);

        node.Tell(new NodeActor.Drain(TimeSpan.Zero), TestActor);

        AwaitAssert(() =>
        {
            Advance(TimeSpan.FromMilliseconds(1));
            Assert.True(Tools.Tool.WasKilled);
        });
        ExpectMsg<NodeActor.Drained>();
    }

    [Fact]
    public void Takes_no_sessions_while_it_is_cordoned_and_keeps_those_that_it_has()
    {
        Runtime.Run(Web);
        var node = Start();
        node.Tell(Session("s1"), TestActor);
        ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));

        node.Tell(new CordonNode { CorrelationId = "1", Cordoned = true }, TestActor);
        Assert.Equal(new NodeCordoned { CorrelationId = "1", Node = "node-1" }, ExpectMsg<NodeCordoned>());
        node.Tell(Session("s2"), TestActor);
        Assert.Equal(
            ("s2", "Node node-1 is cordoned and takes no sessions; 'crashcart uncordon node-1' changes that."), Over(ExpectMsg<SessionOver>()));
        Assert.Equal(("cordoned", 1), (Describe(node).Duty, Sessions(node)));

        node.Tell(new CordonNode { CorrelationId = "2" }, TestActor);
        ExpectMsg<NodeCordoned>();
        Assert.Equal(("", 1), (Describe(node).Duty, Sessions(node)));
        node.Tell(Session("s3"), TestActor);
        ExpectMsg<SessionAccepted>();
    }

    [Theory]
    [InlineData(false, "Node node-1 is cordoned and takes no mounts; 'crashcart uncordon node-1' changes that.")]
    [InlineData(true, "Node node-1 is stopping and takes no mounts.")]
    public void Takes_no_mounts_of_people_while_it_is_cordoned_or_stops(bool stops, string expected)
    {
        Runtime.Run(Web);
        var node = Start();
        node.Tell(stops ? new NodeActor.Drain(TimeSpan.Zero) : new CordonNode { Cordoned = true }, TestActor);
        ExpectMsg<object>();

        node.Tell(new MountImage { CorrelationId = "m", ContainerId = Web.Id.Value, Holder = "somebody" }, TestActor);

        Assert.Equal(new ImageMounted { CorrelationId = "m", Problem = expected }, ExpectMsg<ImageMounted>());
    }

    [Theory]
    [InlineData("cordon")]
    [InlineData("stop")]
    public void Keeps_no_image_attached_for_sessions_that_it_does_not_take(string how)
    {
        Runtime.Run(Web);
        var node = Start(TimeSpan.FromHours(1));
        node.Tell(Session("s1"), TestActor);
        ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));
        node.Tell(new EndSession { SessionId = "s1" }, TestActor);
        ExpectMsg<SessionOver>();
        AwaitAssert(() => Assert.Equal(("/dev/loop7", 0), (Describe(node).Images[0].LoopDevice, Describe(node).Images[0].Users.Count)));

        node.Tell(how == "stop" ? new NodeActor.Drain(TimeSpan.Zero) : new CordonNode { Cordoned = true }, TestActor);
        ExpectMsg<object>();

        AwaitAssert(() => Assert.Equal(0, Images.Attached));
    }

    [Theory]
    [InlineData("private")]
    [InlineData("shared")]
    [InlineData("person")]
    public void Keeps_no_image_attached_after_the_last_container_in_which_it_was_used(string use)
    {
        Runtime.Run(Web);
        Runtime.Run(Container("db", 200));
        var node = Start(TimeSpan.FromHours(1));
        if (use == "person")
        {
            node.Tell(new MountImage { ContainerId = Web.Id.Value }, TestActor);
            ExpectMsg<ImageMounted>(mounted => Assert.Equal("", mounted.Problem));
        }
        else
        {
            var session = Session("s1");
            session.Tool.Shared = use == "shared";
            node.Tell(session, TestActor);
            ExpectMsg<SessionAccepted>();
            AwaitAssert(() => Assert.True(Calls.IsCarrying));
            node.Tell(new EndSession { SessionId = "s1" }, TestActor);
            ExpectMsg<SessionOver>();
        }

        AwaitAssert(() => Assert.Equal(("/dev/loop7", 0), (Describe(node).Images[0].LoopDevice, Describe(node).Images[0].Users.Count)));

        Targets.Exit(Web.Pid);

        AwaitAssert(() => Assert.Equal(0, Images.Attached));
    }

    [Fact]
    public void Is_cordoned_from_its_start_when_it_was_so_before()
    {
        _cordon.IsSet = true;
        var node = Start();

        node.Tell(Session("s1"), TestActor);

        Assert.Equal("s1", ExpectMsg<SessionOver>().SessionId);
        Assert.Equal("cordoned", Describe(node).Duty);
    }

    [Fact]
    public void Ends_its_sessions_when_it_is_drained_by_hand()
    {
        Runtime.Run(Web);
        var (node, run) = (Start(), CreateTestProbe());
        node.Tell(Session("s1"), run);
        run.ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));

        node.Tell(new CordonNode { Cordoned = true, Drain = true, GracePeriodMs = 1000 }, TestActor);

        ExpectMsg<NodeCordoned>();
        run.ExpectMsg<SessionOver>();
        Assert.Equal("Node node-1 is being drained.", Calls.Why);
    }

    [Fact]
    public void Says_why_it_could_not_be_cordoned()
    {
        _cordon.Problem = new NodeException(NodeFailure.Failed, "The disk is full.");
        var node = Start();

        node.Tell(new CordonNode { Cordoned = true }, TestActor);

        Assert.Contains("The disk is full.", ExpectMsg<NodeCordoned>().Problem, StringComparison.Ordinal);
        Assert.Equal("", Describe(node).Duty);
    }

    [Fact]
    public void Is_drained_at_once_without_sessions()
    {
        Start().Tell(new NodeActor.Drain(TimeSpan.FromDays(1)), TestActor);

        ExpectMsg<NodeActor.Drained>();
    }

    [Fact]
    public void Starts_anew_when_one_of_its_actors_stops()
    {
        Runtime.Run(Web);
        var node = Start();
        node.Tell(Session("s1"), TestActor);
        ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));

        Sys.ActorSelection(node.Path / "containers").Tell(Kill.Instance);

        AwaitAssert(() => Assert.True(Tools.Tool.IsDisposed));
        AwaitAssert(() => Assert.Equal(2, Runtime.Snapshots));
        Assert.Equal(0, Sessions(node));
    }

    [Fact]
    public void A_node_with_as_many_sessions_as_it_may_have_takes_another_when_one_has_ended()
    {
        Runtime.Run(Web);
        var node = Sys.ActorOf(
            NodeActor.Props(new NodeFacts("node-1", "0.1.0", "6.1", "x64") { MaxSessions = 1 }, Ports, _cordon), NodeActor.Name);
        node.Tell(Session("s1"), TestActor);
        ExpectMsg<SessionAccepted>();
        AwaitAssert(() => Assert.True(Calls.IsCarrying));

        node.Tell(Session("s2"), TestActor);

        Assert.Equal(
            ("s2", "The node has 1 session already, the most at one time: try again when one has ended, or raise the node's --max-sessions."),
            Over(ExpectMsg<SessionOver>()));
        node.Tell(new EndSession { SessionId = "s1" }, TestActor);
        ExpectMsg<SessionOver>();
        AwaitAssert(() => Assert.Equal(0, Sessions(node)));
        node.Tell(Session("s3"), TestActor);
        ExpectMsg<SessionAccepted>();
    }

    private static (string, string) Over(SessionOver over) => (over.SessionId, over.Problem);

    private static StartSession Session(string id) => new()
    {
        SessionId = id,
        ContainerId = Web.Id.Value,
        Tool = new ToolDescription { Argv = { "true" } },
        Ticket = ByteString.CopyFromUtf8("ticket"),
    };

    private IActorRef Start(TimeSpan linger = default) =>
        Sys.ActorOf(NodeActor.Props(new NodeFacts("node-1", "0.1.0", "6.1", "x64", linger), Ports, _cordon), NodeActor.Name);

    private int Sessions(IActorRef node) => Describe(node).Sessions;

    private NodeDescribed Describe(IActorRef node)
    {
        node.Tell(new DescribeNode(), TestActor);
        return ExpectMsg<NodeDescribed>();
    }
}
