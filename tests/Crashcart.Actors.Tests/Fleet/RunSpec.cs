using Akka.Actor;
using Akka.Cluster;
using Akka.TestKit;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>A run between a played fleet, a played node and a played client.</summary>
public abstract class RunSpec : FleetSpec
{
    protected static readonly RunId Id = new("run-1");
    protected static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(20);
    protected static readonly TimeSpan Timeout = TimeSpan.FromSeconds(90);
    protected static readonly TimeSpan Instant = TimeSpan.FromMilliseconds(1);

    protected HashSet<int> Open { get; } = [];
    protected TestProbe Fleet { get; }

    protected TestProbe Port { get; }

    /// <summary>The most streams that were open at one time.</summary>
    protected int Widest { get; private set; }

    protected RunSpec()
    {
        Fleet = CreateTestProbe("the-fleet");
        Port = CreateTestProbe("the-port");
    }

    protected static RunTargets Everything => new RunTargets.Selected("", "");

    protected static ToolDescription Tool => new() { Argv = { "tcpdump", "-ni", "any" } };

    protected static RunPlan Plan(RunTargets targets, int parallel = 0, TimeSpan? timeout = null) =>
        new(Id, targets, Tool) { FanOut = new FanOut { Parallel = parallel }, Timeout = timeout };

    protected static ClusterEvent.MemberRemoved Removal(Member member) => new(member.Copy(MemberStatus.Removed), MemberStatus.Up);

    protected IActorRef Begin(RunTargets targets, int parallel = 0, TimeSpan? timeout = null) => Begin(Plan(targets, parallel, timeout));

    protected IActorRef Begin(RunPlan plan) => Watch(Sys.ActorOf(RunActor.Props(plan, new RecordingPort(Port), Fleet)));

    protected void Resolve(IActorRef run, IReadOnlyList<RunTarget> targets, params SilentNode[] silent) =>
        run.Tell(new FleetQuery.Containers(targets, silent), Fleet);

    /// <summary>A run whose targets are all on this node and have been told to the client.</summary>
    protected IActorRef BeginSessions(int targets, int parallel = 0, TimeSpan? timeout = null)
    {
        IActorRef run = Begin(Everything, parallel, timeout);
        Resolve(run, [.. Enumerable.Range(0, targets).Select(n => Target(Self, $"web-{n}"))]);
        ExpectTold<RunEvent.Started>();
        return run;
    }

    protected void Began(IActorRef run, int target)
    {
        run.Tell(new Run.StreamBegan(target));
        Assert.Equal(target, ExpectTold<RunEvent.SessionStarted>().Target);
    }

    protected void Exit(IActorRef run, int target)
    {
        run.Tell(new Run.StreamExited(target, new SessionOutcome.Exited(0)));
        ExpectEnded(target, new SessionOutcome.Exited(0));
    }

    protected static void TellLate(IActorRef run, int target)
    {
        run.Tell(new Run.StreamExited(target, new SessionOutcome.Exited(137)));
        run.Tell(new Run.StreamLost(target));
        run.Tell(new Run.StreamBegan(target));
        run.Tell(new SessionOver { SessionId = Id.Session(target).Value, Problem = "It was ended.", Ticket = RecordingPort.TicketOf(target).Secret });
    }

    protected StartSession ExpectStart(int target)
    {
        StartSession start = Node.ExpectMsg<StartSession>();
        Assert.Equal(Id.Session(target).Value, start.SessionId);
        return start;
    }

    /// <summary>What the client is told next. Streams that were opened and closed on the way are noted.</summary>
    protected T ExpectTold<T>()
        where T : RunEvent => Assert.IsType<T>(Assert.IsType<RecordingPort.Told>(NextOnPort()).Happened);

    protected void ExpectEnded(int target, SessionOutcome outcome)
    {
        var ended = ExpectTold<RunEvent.SessionEnded>();
        Assert.Equal(new RunEvent.SessionEnded(target, outcome), ended);
        Assert.DoesNotContain(target, Open);
    }

    protected SessionOutcome.Failure ExpectFailed(int target)
    {
        var ended = ExpectTold<RunEvent.SessionEnded>();
        Assert.Equal(target, ended.Target);
        Assert.DoesNotContain(target, Open);
        return Assert.IsType<SessionOutcome.Failure>(ended.Outcome);
    }

    protected void ExpectAllFail(int targets)
    {
        for (int target = 0; target < targets; target++)
            ExpectFailed(target);
    }

    /// <summary>The run has done all that it has been asked for, and that was nothing for the node or the client.</summary>
    protected void ExpectQuiet(IActorRef run)
    {
        run.Tell(new Identify(null));
        ExpectMsg<ActorIdentity>();
        ExpectQuietNode();
        Port.Tell(Marker.Instance);
        Assert.IsType<Marker>(NextOnPort());
    }

    protected void ExpectQuietNode()
    {
        Sys.ActorSelection("/user/node").Tell(Marker.Instance);
        Node.ExpectMsg<Marker>();
    }

    /// <summary>To be asked once the run has stopped.</summary>
    protected void ExpectNothingMore()
    {
        ExpectQuietNode();
        Port.Tell(Marker.Instance);
        Port.ExpectMsg<Marker>();
    }

    protected object NextOnPort()
    {
        while (true)
        {
            object next = Port.ExpectMsg<object>();
            switch (next)
            {
                case RecordingPort.Opened opened:
                    Open.Add(opened.Target);
                    Widest = Math.Max(Widest, Open.Count);
                    break;
                case RecordingPort.Closed closed:
                    Open.Remove(closed.Target);
                    break;
                default:
                    return next;
            }
        }
    }

    /// <summary>What is sent after all that is looked for and comes first, if there is nothing.</summary>
    protected sealed class Marker : INoSerializationVerificationNeeded
    {
        public static readonly Marker Instance = new();
    }
}
