using Akka.Actor;
using Akka.TestKit;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Sessions;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Tests.Node.Doubles;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Node;

public sealed class SessionActorSpec : NodeSpec
{
    private readonly TestProbe _run;
    private IActorRef _session = ActorRefs.Nobody;

    public SessionActorSpec()
    {
        _run = CreateTestProbe();
        Runtime.Run(Web);
    }

    [Fact]
    public void Runs_a_tool_and_leaves_nothing()
    {
        Start();
        AwaitAssert(() => Assert.Equal(1, Images.Attached));

        Tools.Tool.Exit(3);

        ExpectOver("");
        Assert.Equal(3, Calls.ExitCode);
        Assert.Equal("ticket", System.Text.Encoding.UTF8.GetString(Calls.Ticket));
    }

    [Fact]
    public void Takes_the_shared_mount_when_it_is_asked_to()
    {
        Start(shared: true);
        AwaitAssert(() => Assert.Equal((1, 1), (Mounts.Mounted, Tools.Starts)));

        Tools.Tool.Exit(0);

        ExpectOver("");
        AwaitAssert(() => Assert.Equal(0, Mounts.Mounted));
    }

    [Fact]
    public void Asks_the_tool_to_go_when_the_session_is_ended()
    {
        Start();
        AwaitRunning();

        _session.Tell(new EndSession { SessionId = "s1" });

        ExpectOver("");
        Assert.Equal([1, 15], Tools.Tool.Signals);
        Assert.Equal(129, Calls.ExitCode);
    }

    [Fact]
    public void Kills_a_tool_that_does_not_go()
    {
        Tools = new ScriptedTools { Tool = new ScriptedTool { Obeys = false } };
        Start();
        AwaitRunning();

        _session.Tell(new EndSession { SessionId = "s1" });
        AwaitAssert(() => Assert.Equal([1, 15], Tools.Tool.Signals));
        Assert.False(Tools.Tool.WasKilled);
        Advance(SessionPatience.Default.Grace);

        ExpectOver("");
        Assert.Equal(137, Calls.ExitCode);
    }

    [Fact]
    public void Kills_the_tool_without_asking_when_it_is_told_to()
    {
        Tools = new ScriptedTools { Tool = new ScriptedTool { Obeys = false } };
        Start();
        AwaitRunning();

        _session.Tell(new EndSession { SessionId = "s1", Kill = true });
        AwaitAssert(() => Assert.Equal([1, 15], Tools.Tool.Signals));
        Advance(TimeSpan.Zero);

        ExpectOver("");
        Assert.True(Tools.Tool.WasKilled);
    }

    [Fact]
    public void Kills_the_tool_that_it_has_asked_to_go_when_it_is_told_to()
    {
        Tools = new ScriptedTools { Tool = new ScriptedTool { Obeys = false } };
        Start();
        AwaitRunning();
        _session.Tell(new EndSession { SessionId = "s1" });
        AwaitAssert(() => Assert.Equal([1, 15], Tools.Tool.Signals));

        _session.Tell(new EndSession { SessionId = "s1", Kill = true });
        _session.Tell(new Identify(null), TestActor);
        ExpectMsg<ActorIdentity>();
        Advance(TimeSpan.Zero);

        ExpectOver("");
        Assert.Equal(137, Calls.ExitCode);
    }

    [Fact]
    public void Passes_a_signal_to_the_tool_whatever_its_input_does()
    {
        Tools = new ScriptedTools { Tool = new ScriptedTool { Obeys = false } };
        Start();
        AwaitRunning();

        _session.Tell(new SignalSession { SessionId = "s1", Signal = 10 });

        AwaitAssert(() => Assert.Equal([10], Tools.Tool.Signals));
        Tools.Tool.Exit(0);
        ExpectOver("");
    }

    [Fact]
    public void Ends_when_its_requester_dies()
    {
        Start();
        AwaitRunning();
        Watch(_session);

        Sys.Stop(_run);

        ExpectTerminated(_session);
        Assert.Equal([1, 15], Tools.Tool.Signals);
        AssertNothingLeft();
    }

    [Fact]
    public void Ends_the_tool_soon_when_its_stream_breaks()
    {
        Tools = new ScriptedTools { Tool = new ScriptedTool { Obeys = false } };
        Start();
        AwaitRunning();

        Calls.Break();
        AwaitAssert(() => Assert.Equal([1, 15], Tools.Tool.Signals));
        Advance(TimeSpan.FromMilliseconds(500));

        ExpectOver("The coordinator closed the call.");
        Assert.True(Tools.Tool.WasKilled);
    }

    [Fact]
    public void Kills_at_once_what_survives_its_container()
    {
        Tools = new ScriptedTools { Tool = new ScriptedTool { Obeys = false } };
        Start();
        AwaitRunning();

        Targets.Exit(Web.Pid);
        AwaitAssert(() => Assert.Equal([1, 15], Tools.Tool.Signals));
        Advance(TimeSpan.FromMilliseconds(1));

        ExpectOver("");
        Assert.Equal(137, Calls.ExitCode);
    }

    [Fact]
    public void Gives_up_on_a_coordinator_that_does_not_read_after_the_end()
    {
        Calls = new ScriptedCalls { Reads = false };
        Start();
        AwaitRunning();

        _session.Tell(new EndSession { SessionId = "s1" });
        AwaitAssert(() => Assert.NotEmpty(Tools.Tool.Signals));
        Advance(SessionPatience.Default.Grace);
        AwaitAssert(() => Assert.True(Tools.Tool.WasKilled));
        AwaitAssert(() =>
        {
            Advance(SessionPatience.Default.Drain);
            ExpectOver("Its last output was not read in time.");
        });
    }

    [Fact]
    public void Says_on_the_stream_why_the_tool_was_not_started()
    {
        Tools = new ScriptedTools { Refusal = new NodeException(NodeFailure.ToolNotFound, "There is no tool nosuch.") };
        Start();

        ExpectOver("");
        Assert.Equal(new SessionFailure { ExitCode = 127, Message = "There is no tool nosuch." }, Calls.Failure);
    }

    [Fact]
    public void Says_on_the_stream_that_the_container_does_not_run()
    {
        Runtime.Stop(Web.Id);
        Start();

        ExpectOver("");
        Assert.Equal(125, Calls.Failure!.ExitCode);
        Assert.Contains("does not run", Calls.Failure.Message);
        Assert.Equal(0, Tools.Starts);
    }

    [Fact]
    public void Says_on_the_stream_that_there_is_no_image()
    {
        Images.NoImage = new NodeException(NodeFailure.Failed, "There is no image.");
        Start();

        ExpectOver("");
        Assert.Equal("There is no image.", Calls.Failure!.Message);
    }

    [Fact]
    public void Is_over_with_a_problem_when_the_coordinator_cannot_be_dialled()
    {
        Calls = new ScriptedCalls { Refusal = new NodeException(NodeFailure.Failed, "Nobody answers.") };
        Start(dials: false);

        ExpectOver("Nobody answers.");
        Assert.Equal(0, Tools.Starts);
    }

    [Fact]
    public void Cancels_a_start_that_is_not_wanted_any_more()
    {
        Tools = new ScriptedTools { Holds = true };
        Start();
        AwaitAssert(() => Assert.Equal(1, Tools.Starts));

        _session.Tell(new EndSession { SessionId = "s1" });
        AwaitAssert(() => Assert.True(Tools.WasCancelled));
        _run.ExpectNoMsg(TimeSpan.Zero);
        Tools.GoOn();

        ExpectOver("");
        Assert.Equal(125, Calls.Failure!.ExitCode);
        Assert.True(Tools.Tool.IsDisposed);
    }

    [Fact]
    public void Gives_up_a_start_that_takes_too_long()
    {
        Tools = new ScriptedTools { Holds = true };
        Start();
        AwaitAssert(() => Assert.Equal(1, Tools.Starts));

        Advance(SessionPatience.Default.Start);
        AwaitAssert(() => Assert.True(Tools.WasCancelled));
        Tools.GoOn();

        ExpectOver("");
        Assert.Contains("within 15 s", Calls.Failure!.Message);
    }

    [Fact]
    public void A_tool_may_run_longer_than_its_start_may_take()
    {
        Start();
        AwaitRunning();

        Advance(SessionPatience.Default.Start);

        _run.ExpectNoMsg(TimeSpan.FromMilliseconds(50));
        Assert.Empty(Tools.Tool.Signals);
    }

    [Fact]
    public void Releases_everything_when_its_system_stops_it()
    {
        Start();
        AwaitRunning();

        Sys.Stop(_session);

        AwaitAssert(() => AssertNothingLeft());
    }

    [Fact]
    public void Waits_for_its_image_as_long_as_that_is_being_fetched_and_tells_so()
    {
        Start(image: ScriptedStoredImages.Wanted('a'));
        AwaitAssert(() => Assert.Equal(1, Stored.FetchesPending));
        Stored.Receive(45);
        for (var seconds = 0; seconds < 60; seconds++)
        {
            Advance(TimeSpan.FromSeconds(1));
            Assert.Equal("s1", _run.ExpectMsg<SessionWaits>().SessionId);
        }

        Stored.CompleteFetch();
        AwaitRunning();
        Tools.Tool.Exit(0);
        _run.FishForMessage(message => message is SessionOver { Problem: "" });
    }

    [Fact]
    public void Tells_why_its_image_did_not_come()
    {
        Start(image: ScriptedStoredImages.Wanted('a'));
        AwaitAssert(() => Assert.Equal(1, Stored.FetchesPending));

        Stored.FailFetch("No coordinator has tools:a.");

        _run.FishForMessage(message => message is SessionOver { Problem: "" });
        Assert.Equal("No coordinator has tools:a.", Calls.Failure!.Message);
    }

    private void Start(bool shared = false, bool dials = true, WantedImage? image = null)
    {
        var start = new StartSession
        {
            SessionId = "s1",
            RunId = "r1",
            ContainerId = Web.Id.Value,
            Tool = new ToolDescription { Argv = { "tcpdump", "-c", "3" }, Shared = shared },
            StreamEndpoint = "unix:/run/coordinator.sock",
            Ticket = ByteString.CopyFromUtf8("ticket"),
            Image = image,
        };
        var images = Sys.ActorOf(ImagesActor.Props(Ports, TimeSpan.Zero));
        var node = new SessionNeighbours(
            Sys.ActorOf(ContainersActor.Props("node-1", Ports)), images, Sys.ActorOf(MountsActor.Props(Ports, images)));
        _session = Sys.ActorOf(SessionActor.Props(new SessionRequest(start, _run), Ports, node, SessionPatience.Default));
        Assert.Equal("s1", _run.ExpectMsg<SessionAccepted>().SessionId);
        Assert.True(dials || Calls.Refusal is not null);
    }

    private void AwaitRunning() => AwaitAssert(() => Assert.True(Calls.IsCarrying));

    private void ExpectOver(string problem)
    {
        Assert.Equal(new SessionOver { SessionId = "s1", Problem = problem, Ticket = ByteString.CopyFromUtf8("ticket") }, _run.ExpectMsg<SessionOver>());
        AssertNothingLeft();
    }

    private void AssertNothingLeft()
    {
        Assert.True(Calls.Refusal is not null || Calls.IsDisposed);
        Assert.True(Tools.Starts == 0 || Tools.Refusal is not null || Tools.Tool.IsDisposed);
        AwaitAssert(() => Assert.Equal((0, 0), (Images.Attached, Mounts.Mounted)));
    }
}
