using Akka.Actor;
using Crashcart.Actors.Downing;

namespace Crashcart.Actors.Tests.Downing;

public sealed class DowningPolicyTests
{
    [Fact]
    public void Nobody_leaves_while_everybody_is_reachable() =>
        Assert.Empty(Decide("c1", Coordinator("c1"), Coordinator("c2"), Node("n1"), Node("n2")));

    [Fact]
    public void A_coordinator_removes_nodes_that_are_lost_however_many() =>
        Assert.Equal(["n1", "n2", "n3"], Decide("c1", Coordinator("c1"), Lost(Node("n1")), Lost(Node("n2")), Lost(Node("n3"))));

    [Fact]
    public void A_coordinator_removes_another_that_is_lost() =>
        Assert.Equal(["c1"], Decide("c2", Lost(Coordinator("c1")), Coordinator("c2"), Node("n1")));

    [Fact]
    public void A_coordinator_that_lost_everybody_stays() =>
        Assert.Equal(["c2", "n1"], Decide("c1", Coordinator("c1"), Lost(Coordinator("c2")), Lost(Node("n1"))));

    [Fact]
    public void A_node_leaves_it_to_the_coordinators_to_remove_others() =>
        Assert.Empty(Decide("n1", Coordinator("c1"), Lost(Coordinator("c2")), Node("n1"), Lost(Node("n2"))));

    [Fact]
    public void A_node_that_lost_every_coordinator_removes_itself_alone() =>
        Assert.Equal(["n1"], Decide("n1", Lost(Coordinator("c1")), Lost(Coordinator("c2")), Node("n1"), Node("n2")));

    [Fact]
    public void A_node_whose_coordinators_have_all_left_in_order_removes_itself() =>
        Assert.Equal(["n1"], Decide("n1", Node("n1"), Node("n2")));

    [Fact]
    public void A_node_that_alone_misses_the_coordinator_keeps_it() =>
        Assert.Empty(Decide("n1", Lost(Coordinator("c1")) with { HasSeen = true }, Node("n1")));

    [Fact]
    public void A_coordinator_that_a_node_misses_is_not_removed_by_another() =>
        Assert.Empty(Decide("c2", Lost(Coordinator("c1")) with { HasSeen = true }, Coordinator("c2"), Node("n1")));

    [Fact]
    public void A_node_that_some_reach_and_some_miss_is_removed() =>
        Assert.Equal(["n1"], Decide("c1", Coordinator("c1"), Lost(Node("n1")) with { HasSeen = true }, Node("n2")));

    private static IEnumerable<string> Decide(string self, params Peer[] peers) =>
        DowningPolicy.Decide(At(self), peers).Select(address => address.Host!).Order();

    private static Peer Coordinator(string name) => new(At(name), IsCoordinator: true, IsReachable: true, HasSeen: true);

    private static Peer Node(string name) => new(At(name), IsCoordinator: false, IsReachable: true, HasSeen: true);

    private static Peer Lost(Peer peer) => peer with { IsReachable = false, HasSeen = false };

    private static Address At(string name) => new("akka.tcp", "crashcart", name, 1);
}
