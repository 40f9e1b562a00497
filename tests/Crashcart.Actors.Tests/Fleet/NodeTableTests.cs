using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Fleet;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class NodeTableTests
{
    private static readonly Address Host = new("akka.tcp", "crashcart", "10.0.0.1", 4200);
    private static readonly UniqueAddress First = new(Host, 1);
    private static readonly UniqueAddress Second = new(Host, 2);

    private readonly NodeTable _nodes = new();

    [Theory]
    [InlineData(MemberStatus.Joining, "joining", false)]
    [InlineData(MemberStatus.WeaklyUp, "up", true)]
    [InlineData(MemberStatus.Up, "up", true)]
    [InlineData(MemberStatus.Leaving, "leaving", true)]
    public void A_node_can_be_asked_from_up_until_it_has_left(MemberStatus status, string state, bool asked)
    {
        _nodes.Apply(First, status);

        Assert.Equal([(Host, "10.0.0.1:4200", state)], _nodes.All);
        Assert.Equal(asked, _nodes.IsReachable(Host));
        Assert.Empty(_nodes.Unreachable);
    }

    [Theory]
    [InlineData(MemberStatus.Exiting)]
    [InlineData(MemberStatus.Down)]
    [InlineData(MemberStatus.Removed)]
    public void A_node_that_has_left_is_forgotten(MemberStatus status)
    {
        _nodes.Apply(First, MemberStatus.Up);
        _nodes.Apply(First, status);

        Assert.Empty(_nodes.All);
        Assert.Empty(_nodes.Reachable);
    }

    [Fact]
    public void A_node_has_the_name_that_it_gave_itself()
    {
        _nodes.Apply(First, MemberStatus.Up);
        _nodes.Name(Host, "node-1");

        Assert.Equal([(Host, "node-1", "up")], _nodes.All);
        Assert.Equal("node-1", _nodes.NameOf(Host));
    }

    [Fact]
    public void A_name_outlives_a_change_of_status()
    {
        _nodes.Apply(First, MemberStatus.Up);
        _nodes.Name(Host, "node-1");
        _nodes.Apply(First, MemberStatus.Leaving);

        Assert.Equal("node-1", _nodes.NameOf(Host));
    }

    [Fact]
    public void A_node_that_is_not_known_is_named_by_its_address()
    {
        _nodes.Name(Host, "node-1");

        Assert.Equal("10.0.0.1:4200", _nodes.NameOf(Host));
        Assert.Empty(_nodes.All);
    }

    [Fact]
    public void An_unreachable_node_is_not_asked_and_is_told_by_its_name()
    {
        _nodes.Apply(First, MemberStatus.Up);
        _nodes.Name(Host, "node-1");
        _nodes.SetReachable(First, false);

        Assert.Empty(_nodes.Reachable);
        Assert.Equal([(Host, "node-1", "unreachable")], _nodes.All);
        Assert.Equal([new SilentNode("node-1", "The node is unreachable.")], _nodes.Unreachable);
    }

    [Fact]
    public void A_node_that_is_reachable_again_is_asked_again()
    {
        _nodes.Apply(First, MemberStatus.Up);
        _nodes.SetReachable(First, false);
        _nodes.SetReachable(First, true);

        Assert.Equal([Host], _nodes.Reachable);
    }

    [Fact]
    public void A_new_process_at_an_old_address_inherits_nothing()
    {
        _nodes.Apply(First, MemberStatus.Up);
        _nodes.Name(Host, "node-1");
        _nodes.SetReachable(First, false);

        _nodes.Apply(Second, MemberStatus.Up);

        Assert.Equal([(Host, "10.0.0.1:4200", "up")], _nodes.All);
    }

    [Fact]
    public void What_is_told_late_of_an_old_process_does_not_touch_the_new_one()
    {
        _nodes.Apply(Second, MemberStatus.Up);

        _nodes.SetReachable(First, false);
        _nodes.Apply(First, MemberStatus.Removed);

        Assert.Equal([Host], _nodes.Reachable);
    }
}
