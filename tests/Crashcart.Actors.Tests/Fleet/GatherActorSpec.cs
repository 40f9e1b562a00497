using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class GatherActorSpec : FleetSpec
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    [Fact]
    public void Answers_when_every_node_has_answered()
    {
        IActorRef gather = Ask([Self.Address]);

        Assert.Equal("q1", Node.ExpectMsg<DescribeNode>().CorrelationId);
        Node.Reply(new NodeDescribed { CorrelationId = "q1", Node = "node-1" });

        var gathered = ExpectMsg<GatherActor.Gathered>();
        Assert.Equal(new NodeDescribed { CorrelationId = "q1", Node = "node-1" }, gathered.Answers[Self.Address]);
        Assert.Empty(gathered.Silent);
        ExpectTerminated(gather);
    }

    [Fact]
    public void Answers_at_once_when_there_is_nobody_to_ask()
    {
        IActorRef gather = Ask([]);

        var gathered = ExpectMsg<GatherActor.Gathered>();
        Assert.Empty(gathered.Answers);
        Assert.Empty(gathered.Silent);
        ExpectTerminated(gather);
    }

    [Fact]
    public void Names_who_was_silent_when_the_time_is_over()
    {
        Address silent = Self.Address.WithHost("10.0.0.9");
        IActorRef gather = Ask([Self.Address, silent]);
        Node.ExpectMsg<DescribeNode>();
        Node.Reply(new NodeDescribed { CorrelationId = "q1", Node = "node-1" });

        Advance(Patience - TimeSpan.FromMilliseconds(1));
        ExpectNoMsg(TimeSpan.Zero);
        Advance(TimeSpan.FromMilliseconds(1));

        var gathered = ExpectMsg<GatherActor.Gathered>();
        Assert.Equal([Self.Address], gathered.Answers.Keys);
        Assert.Equal([silent], gathered.Silent);
        ExpectTerminated(gather);
    }

    [Fact]
    public void An_answer_to_an_older_question_does_not_count()
    {
        Ask([Self.Address]);
        Node.ExpectMsg<DescribeNode>();

        Node.Reply(new NodeDescribed { CorrelationId = "q0", Node = "late" });
        Node.Reply(new NodeDescribed { CorrelationId = "q1", Node = "node-1" });

        Assert.Equal("node-1", ((NodeDescribed)ExpectMsg<GatherActor.Gathered>().Answers[Self.Address]).Node);
    }

    [Fact]
    public void An_answer_of_the_wrong_kind_does_not_count()
    {
        Ask([Self.Address]);
        Node.ExpectMsg<DescribeNode>();

        Node.Reply(new ContainersFound { CorrelationId = "q1", Node = "confused" });
        Node.Reply(new NodeDescribed { CorrelationId = "q1", Node = "node-1" });

        Assert.IsType<NodeDescribed>(ExpectMsg<GatherActor.Gathered>().Answers[Self.Address]);
    }

    private IActorRef Ask(IReadOnlyCollection<Address> nodes)
    {
        // Its parent is who gets the answer.
        IActorRef gather = ActorOfAsTestActorRef<GatherActor>(
            GatherActor.Props([.. nodes.Select(GatherActor.NodePath)], new DescribeNode { CorrelationId = "q1" }, Patience),
            TestActor);
        Watch(gather);
        return gather;
    }
}
