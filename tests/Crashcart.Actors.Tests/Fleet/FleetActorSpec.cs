using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class FleetActorSpec : FleetSpec
{
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(5);

    private readonly IActorRef _fleet;

    public FleetActorSpec() => _fleet = Sys.ActorOf(FleetActor.Props(), "fleet");

    [Fact]
    public void A_node_is_asked_for_its_name_as_soon_as_it_is_up() => Name("node-1");

    [Fact]
    public void Nodes_are_listed_with_what_they_say_of_themselves()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.ListNodes());

        Describe("node-1");

        NodeStatus node = Assert.Single(ExpectMsg<FleetQuery.Nodes>().All);
        Assert.Equal(("node-1", Self.Address, "up", ""), (node.Name, node.Address, node.State, node.Problem));
        Assert.Equal("0.1", node.Description!.Version);
    }

    [Fact]
    public void A_node_that_does_not_answer_is_listed_by_its_last_name()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.ListNodes());
        Node.ExpectMsg<DescribeNode>();

        Advance(AnswerPatience);

        NodeStatus node = Assert.Single(ExpectMsg<FleetQuery.Nodes>().All);
        Assert.Equal(("node-1", "up", "The node did not answer within 5 s."), (node.Name, node.State, node.Problem));
        Assert.Null(node.Description);
    }

    [Fact]
    public void An_unreachable_node_is_listed_and_not_asked()
    {
        Name("node-1");
        _fleet.Tell(new ClusterEvent.UnreachableMember(Self));
        _fleet.Tell(new FleetQuery.ListNodes());

        NodeStatus node = Assert.Single(ExpectMsg<FleetQuery.Nodes>().All);
        Assert.Equal(("node-1", "unreachable", "The node is unreachable."), (node.Name, node.State, node.Problem));
    }

    [Fact]
    public void A_node_that_was_unreachable_before_the_coordinator_came_is_unreachable()
    {
        Name("node-1");
        Member other = Stranger("10.0.0.2", ClusterSettings.NodeRole);
        _fleet.Tell(new ClusterEvent.UnreachableMember(other));
        _fleet.Tell(new ClusterEvent.MemberUp(other));
        _fleet.Tell(new FleetQuery.ListNodes());

        Describe("node-1");

        Assert.Equal(
            [("10.0.0.2:1", "unreachable"), ("node-1", "up")],
            ExpectMsg<FleetQuery.Nodes>().All.Select(node => (node.Name, node.State)));
    }

    [Fact]
    public void A_node_that_is_reachable_again_is_asked_again()
    {
        Name("node-1");
        _fleet.Tell(new ClusterEvent.UnreachableMember(Self));
        _fleet.Tell(new ClusterEvent.ReachableMember(Self));
        _fleet.Tell(new FleetQuery.ListNodes());

        Describe("node-1");

        Assert.Equal("up", Assert.Single(ExpectMsg<FleetQuery.Nodes>().All).State);
    }

    [Fact]
    public void A_coordinator_without_a_node_is_no_node()
    {
        Name("node-1");
        _fleet.Tell(new ClusterEvent.MemberUp(Stranger("10.0.0.2", ClusterSettings.CoordinatorRole)));
        _fleet.Tell(new FleetQuery.ListNodes());

        Describe("node-1");

        Assert.Equal(["node-1"], ExpectMsg<FleetQuery.Nodes>().All.Select(node => node.Name));
    }

    [Fact]
    public void A_node_that_was_removed_is_not_listed()
    {
        Name("node-1");
        _fleet.Tell(new ClusterEvent.MemberRemoved(Self.Copy(MemberStatus.Removed), MemberStatus.Up));
        _fleet.Tell(new FleetQuery.ListNodes());

        Assert.Empty(ExpectMsg<FleetQuery.Nodes>().All);
    }

    [Fact]
    public void Containers_are_found_by_the_nodes_and_listed_in_order()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.ListContainers("app=web", "", "abc"));

        FindContainers find = Node.ExpectMsg<FindContainers>();
        Assert.Equal(("app=web", "abc"), (find.Selector, find.Container));
        Node.Reply(new ContainersFound
        {
            CorrelationId = find.CorrelationId,
            Node = "node-1",
            Containers = { Container("abc2", "web-2"), Container("abc1", "web-1") },
        });

        var found = ExpectMsg<FleetQuery.Containers>();
        Assert.Equal(
            [new RunTarget("node-1", Self.Address, Container("abc1", "web-1")), new RunTarget("node-1", Self.Address, Container("abc2", "web-2"))],
            found.All);
        Assert.Empty(found.Silent);
    }

    [Theory]
    [InlineData("", true)]
    [InlineData("node-1", true)]
    [InlineData("node-?", true)]
    [InlineData("n*1", true)]
    [InlineData("*", true)]
    [InlineData("node", false)]
    [InlineData("Node-1", false)]
    [InlineData("node-1?", false)]
    public void Nodes_are_chosen_by_a_glob(string glob, bool chosen)
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.ListContainers("", glob));
        if (chosen)
            Find(Container("abc"));

        Assert.Equal(chosen, ExpectMsg<FleetQuery.Containers>().All.Count == 1);
    }

    [Fact]
    public void A_node_whose_runtimes_do_not_answer_is_told_with_what_it_found()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.ListContainers("", ""));
        FindContainers find = Node.ExpectMsg<FindContainers>();
        Node.Reply(new ContainersFound { CorrelationId = find.CorrelationId, Node = "node-1", Containers = { Container("a") }, Problem = "Docker is gone." });

        var found = ExpectMsg<FleetQuery.Containers>();
        Assert.Single(found.All);
        Assert.Equal([new SilentNode("node-1", "Docker is gone.")], found.Silent);
    }

    [Fact]
    public void A_node_that_becomes_unreachable_while_it_is_asked_is_told_once()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.ListContainers("", "node-*"));
        Node.ExpectMsg<FindContainers>();
        _fleet.Tell(new ClusterEvent.UnreachableMember(Self));

        Advance(AnswerPatience);

        var found = ExpectMsg<FleetQuery.Containers>();
        Assert.Empty(found.All);
        Assert.Equal([new SilentNode("node-1", "The node is unreachable.")], found.Silent);
    }

    [Fact]
    public void A_silent_node_that_was_not_meant_is_not_told()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.ListContainers("", "other-*"));

        Assert.Empty(ExpectMsg<FleetQuery.Containers>().Silent);
    }

    [Fact]
    public void Questions_do_not_wait_for_each_other()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.ListContainers("app=web", ""));
        string firstId = Node.ExpectMsg<FindContainers>().CorrelationId;
        IActorRef first = Node.LastSender;
        _fleet.Tell(new FleetQuery.ListContainers("app=db", ""));
        Find(Container("db"));
        Assert.Equal("db", Assert.Single(ExpectMsg<FleetQuery.Containers>().All).Container.Id);

        first.Tell(new ContainersFound { CorrelationId = firstId, Node = "node-1", Containers = { Container("web") } }, Node);

        Assert.Equal("web", Assert.Single(ExpectMsg<FleetQuery.Containers>().All).Container.Id);
    }

    [Fact]
    public void A_node_that_takes_no_sessions_is_listed_as_what_it_says()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.ListNodes());
        DescribeNode describe = Node.ExpectMsg<DescribeNode>();
        Node.Reply(new NodeDescribed { CorrelationId = describe.CorrelationId, Node = "node-1", Duty = "draining" });

        Assert.Equal("draining", Assert.Single(ExpectMsg<FleetQuery.Nodes>().All).State);
    }

    [Fact]
    public void A_node_is_cordoned_by_its_name()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.Cordon("node-1", IsCordoned: true, TimeSpan.FromSeconds(3)));

        CordonNode cordon = Node.ExpectMsg<CordonNode>();
        Assert.Equal((true, true, 3000u), (cordon.Cordoned, cordon.Drain, cordon.GracePeriodMs));
        Node.Reply(new NodeCordoned { CorrelationId = cordon.CorrelationId, Node = "node-1", Problem = "The disk is full." });
        Assert.Equal(new FleetQuery.Cordoned(IsKnown: true, "The disk is full."), ExpectMsg<FleetQuery.Cordoned>());
    }

    [Fact]
    public void A_node_that_is_not_there_is_not_cordoned()
    {
        Name("node-1");
        _fleet.Tell(new FleetQuery.Cordon("node", IsCordoned: true, null));
        Assert.False(ExpectMsg<FleetQuery.Cordoned>().IsKnown);

        _fleet.Tell(new ClusterEvent.UnreachableMember(Self));
        _fleet.Tell(new FleetQuery.Cordon("node-1", IsCordoned: true, null));
        Assert.Equal(new FleetQuery.Cordoned(IsKnown: true, "node-1: The node is unreachable."), ExpectMsg<FleetQuery.Cordoned>());
    }

    [Fact]
    public void A_run_is_accepted_and_goes_its_way_over_the_fleet()
    {
        Name("node-1");
        var port = CreateTestProbe();
        var plan = new RunPlan(new RunId("run-1"), new RunTargets.One("node-1", "web"), new ToolDescription { Argv = { "sh" } });
        _fleet.Tell(new FleetQuery.StartRun(plan, new RecordingPort(port)));

        IActorRef run = Watch(ExpectMsg<FleetQuery.RunAccepted>().Run);
        Assert.Equal("/user/fleet/runs/run-1", run.Path.ToStringWithoutAddress());
        Find(Container("abc", "web"));
        Assert.Equal("run-1-0", Node.ExpectMsg<StartSession>().SessionId);
        run.Tell(new Run.StreamExited(0, new SessionOutcome.Exited(0)));

        ExpectTerminated(run);
    }

    /// <summary>The fleet asks each node for its name when it comes up.</summary>
    private void Name(string node)
    {
        Describe(node);
        // What it answered has arrived when the next question is answered.
        _fleet.Tell(new FleetQuery.ListNodes());
        Describe(node);
        ExpectMsg<FleetQuery.Nodes>();
    }

    private void Describe(string node)
    {
        DescribeNode describe = Node.ExpectMsg<DescribeNode>();
        Node.Reply(new NodeDescribed { CorrelationId = describe.CorrelationId, Node = node, Version = "0.1" });
    }

    private void Find(ContainerDescription container)
    {
        FindContainers find = Node.ExpectMsg<FindContainers>();
        Node.Reply(new ContainersFound { CorrelationId = find.CorrelationId, Node = "node-1", Containers = { container } });
    }
}
