using Akka.Actor;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Tests.Node.Doubles;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Node;

/// <summary>Sessions that the node keeps, and what it tells of them.</summary>
public sealed class KeptSessionSpec : NodeSpec
{
    private static readonly ByteString Ticket = ByteString.CopyFromUtf8("ticket");

    [Fact]
    public void A_session_that_is_kept_dials_nobody_and_tells_that_it_runs_and_how_it_ended()
    {
        Records.End = new SessionEnd { ExitCode = 3, UnixMs = 7 };
        var node = Start(new KeepOrder());
        Assert.Equal(new SessionRuns { SessionId = "s1", Ticket = Ticket }, ExpectMsg<SessionRuns>());
        AwaitAssert(() => Assert.True(Records.Record.IsCarrying));

        Tools.Tool.Exit(3);

        Assert.Equal(new SessionOver { SessionId = "s1", Ticket = Ticket, End = Records.End }, ExpectMsg<SessionOver>());
        Assert.True(Records.Record.IsDisposed && Tools.Tool.IsDisposed);
        Assert.Empty(Calls.Ticket);
        Assert.False(node.IsNobody());
    }

    [Fact]
    public void It_outlives_whoever_asked_for_it()
    {
        Runtime.Run(Web);
        var requester = CreateTestProbe();
        Node().Tell(Session(new KeepOrder()), requester);
        requester.ExpectMsg<SessionAccepted>();
        requester.ExpectMsg<SessionRuns>();

        Watch(requester);
        Sys.Stop(requester);
        ExpectTerminated(requester);

        Advance(TimeSpan.FromMinutes(1));
        Assert.Empty(Tools.Tool.Signals);
        Tools.Tool.Exit(0);
        AwaitAssert(() => Assert.True(Records.Record.IsDisposed));
    }

    [Theory]
    [InlineData(5000, 0, "Timed out after 5 s; the tool was ended.")]
    [InlineData(9000, 5000, "Ended: the run's deadline has passed.")]
    public void The_node_ends_it_in_time(long timeout, long deadline, string why)
    {
        Start(new KeepOrder { TimeoutMs = timeout, DeadlineMs = deadline });
        ExpectMsg<SessionRuns>();
        AwaitAssert(() => Assert.True(Records.Record.IsCarrying));

        Advance(TimeSpan.FromSeconds(5));

        ExpectMsg<SessionOver>();
        Assert.Equal([1, 15], Tools.Tool.Signals);
        Assert.Equal(new SessionFailure { ExitCode = 124, Message = why }, Records.Record.EndsAs);
    }

    [Fact]
    public void A_record_that_takes_no_more_ends_it()
    {
        Start(new KeepOrder());
        ExpectMsg<SessionRuns>();
        AwaitAssert(() => Assert.True(Records.Record.IsCarrying));

        Records.Record.Break();

        Assert.Equal("The coordinator closed the call.", ExpectMsg<SessionOver>().Problem);
        Assert.Equal([1, 15], Tools.Tool.Signals);
    }

    [Fact]
    public void A_session_without_a_record_is_not_begun()
    {
        Records.Refusal = new NodeException(NodeFailure.Failed, "The disk is full.");
        Start(new KeepOrder());

        Assert.Equal("The disk is full.", ExpectMsg<SessionOver>().Problem);
        Assert.Equal(0, Tools.Starts);
    }

    [Fact]
    public void What_is_kept_is_told_sent_and_forgotten()
    {
        Records.Runs.Add(new KeptRun { RunId = "run-1", Done = 1 });
        Records.Frames.Add(new NodeFrame { Stdout = ByteString.CopyFromUtf8("x") });
        var node = Node();

        node.Tell(new FindKeptRuns { CorrelationId = "a" });
        Assert.Equal(new KeptRunsFound { CorrelationId = "a", Node = "node-1", Runs = { Records.Runs } }, ExpectMsg<KeptRunsFound>());
        node.Tell(new ReplaySession { SessionId = "run-1-0", Ticket = Ticket });
        Assert.Equal(new SessionOver { SessionId = "run-1-0", Ticket = Ticket }, ExpectMsg<SessionOver>());
        Assert.Equal(Records.Frames, Calls.Relayed);
        node.Tell(new RemoveRun { CorrelationId = "b", RunId = "run-1" });
        Assert.Equal(new RunRemoved { CorrelationId = "b", Node = "node-1" }, ExpectMsg<RunRemoved>());
        Assert.Empty(Records.Runs);
    }

    [Fact]
    public void What_the_disk_refuses_is_told()
    {
        Records.Refusal = new NodeException(NodeFailure.Failed, "The disk fails.");
        var node = Node();

        node.Tell(new FindKeptRuns());
        Assert.Equal("The disk fails.", ExpectMsg<KeptRunsFound>().Problem);
        node.Tell(new ReplaySession());
        Assert.Equal("The disk fails.", ExpectMsg<SessionOver>().Problem);
        node.Tell(new RemoveRun());
        Assert.Equal("The disk fails.", ExpectMsg<RunRemoved>().Problem);
    }

    [Fact]
    public void What_is_too_old_is_looked_for_again_and_again()
    {
        Node();
        AwaitAssert(() => Assert.Equal(1, Records.Sweeps));

        Advance(TimeSpan.FromMinutes(10));

        AwaitAssert(() => Assert.Equal(2, Records.Sweeps));
    }

    private IActorRef Node() =>
        Sys.ActorOf(NodeActor.Props(new NodeFacts("node-1", "0.1.0", "6.1", "x64"), Ports, new ScriptedCordon()));

    private IActorRef Start(KeepOrder keep)
    {
        Runtime.Run(Web);
        var node = Node();
        node.Tell(Session(keep));
        Assert.Equal("s1", ExpectMsg<SessionAccepted>().SessionId);
        return node;
    }

    private static StartSession Session(KeepOrder keep) => new()
    {
        SessionId = "s1",
        RunId = "run-1",
        ContainerId = Web.Id.Value,
        Tool = new ToolDescription { Argv = { "tcpdump" } },
        Ticket = Ticket,
        Keep = keep,
    };
}
