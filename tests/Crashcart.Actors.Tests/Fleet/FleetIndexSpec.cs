using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Tests.Fleet;

/// <summary>Which nodes a coordinator asks for containers, by what they have told of them.</summary>
public sealed class FleetIndexSpec : FleetSpec
{
    private readonly IActorRef _fleet;
    private readonly IndexContainers _asked;

    public FleetIndexSpec()
    {
        _fleet = StartFleet("node-1");
        _asked = Index.ExpectMsg<IndexContainers>();
    }

    [Fact]
    public void A_node_that_has_told_nothing_is_asked() => IsAsked("app=web");

    [Fact]
    public void A_node_that_has_no_such_label_is_not_asked()
    {
        Tell(Fingerprint.OfKey("app"), Fingerprint.OfLabel("app", "db"));

        IsNotAsked("app=web");
        IsAsked("app=db");
        IsAsked("app!=web");
    }

    [Fact]
    public void A_node_where_nothing_runs_is_not_asked()
    {
        Tell();

        IsNotAsked("");
    }

    [Fact]
    public void What_a_malformed_selector_is_told_comes_from_the_nodes()
    {
        Tell();

        IsAsked("app in (");
    }

    [Fact]
    public void A_node_that_does_not_know_all_that_runs_is_asked()
    {
        Tell();
        Index.Reply(new ContainersIndexed { Ticket = _asked.Ticket });

        IsAsked("app=web");
    }

    [Fact]
    public void Nobody_speaks_for_a_node_without_its_ticket()
    {
        Index.Reply(new ContainersIndexed { Ticket = ByteString.CopyFrom(new byte[_asked.Ticket.Length]), Index = new ContainerIndex() });

        IsAsked("app=web");
    }

    [Fact]
    public void A_node_is_asked_for_its_index_again_and_again_with_the_same_ticket()
    {
        PassARenewal();

        Assert.Equal(_asked, Index.ExpectMsg<IndexContainers>());
    }

    [Fact]
    public void What_a_node_told_that_says_nothing_any_more_does_not_count()
    {
        Tell();
        PassARenewal();
        PassARenewal();
        Index.ReceiveN(2);
        IsNotAsked("app=web");

        PassARenewal();
        Index.ExpectMsg<IndexContainers>();

        IsAsked("app=web");
    }

    [Fact]
    public void What_a_node_told_before_it_was_unreachable_does_not_count()
    {
        Tell();
        _fleet.Tell(new ClusterEvent.UnreachableMember(Self));
        _fleet.Tell(new ClusterEvent.ReachableMember(Self));

        IsAsked("app=web");
    }

    [Fact]
    public void A_container_is_looked_for_where_one_has_the_whole_name()
    {
        Tell(Fingerprint.OfName("web"));
        IsAsked("", container: "web");
        // It may be the beginning of an id.
        IsAsked("", container: "we");
    }

    [Fact]
    public void Nodes_that_are_not_named_are_not_asked()
    {
        _fleet.Tell(new FleetQuery.ListContainers("", "other-*"));
        Assert.Empty(ExpectMsg<FleetQuery.Containers>().All);
        _fleet.Tell(new LeaseQuery.List("", "other-*"));
        Assert.Empty(ExpectMsg<LeaseQuery.Found>().Nodes);

        Node.ExpectNoMsg(TimeSpan.Zero);
    }

    /// <summary>Of time that is passed at once, a timer that comes again and again takes notice but once.</summary>
    private void PassARenewal()
    {
        for (int second = 0; second < 10; second++)
            Advance(TimeSpan.FromSeconds(1));
    }

    private void Tell(params ulong[] fingerprints) =>
        Index.Reply(new ContainersIndexed { Ticket = _asked.Ticket, Index = new ContainerIndex { Fingerprints = { fingerprints } } });

    private void IsAsked(string selector, string container = "")
    {
        _fleet.Tell(new FleetQuery.ListContainers(selector, "", container));
        FindContainers find = Node.ExpectMsg<FindContainers>();
        Node.Reply(new ContainersFound { CorrelationId = find.CorrelationId, Node = "node-1", Containers = { Container("abc") } });
        Assert.Single(ExpectMsg<FleetQuery.Containers>().All);
    }

    private void IsNotAsked(string selector)
    {
        _fleet.Tell(new FleetQuery.ListContainers(selector, ""));
        var found = ExpectMsg<FleetQuery.Containers>();
        Assert.Empty(found.All);
        Assert.Empty(found.Silent);
        Node.ExpectNoMsg(TimeSpan.Zero);
    }
}
