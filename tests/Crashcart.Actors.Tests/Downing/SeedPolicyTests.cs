using Akka.Actor;
using Crashcart.Actors.Downing;

namespace Crashcart.Actors.Tests.Downing;

public sealed class SeedPolicyTests
{
    [Fact]
    public void A_coordinator_that_misses_nobody_stays() => Assert.Equal(SeedVerdict.Stay, Decide(At("b", 3)));

    [Fact]
    public void The_smaller_cluster_goes_to_the_larger() => Assert.Equal(SeedVerdict.Move, Decide(At("a", 1), At("b", 2)));

    [Fact]
    public void The_larger_cluster_waits_for_the_smaller() => Assert.Equal(SeedVerdict.MoveIfNobodyDoes, Decide(At("b", 2), At("a", 1)));

    [Fact]
    public void Of_two_equal_clusters_the_last_in_order_goes()
    {
        Assert.Equal(SeedVerdict.Move, Decide(At("b", 2), At("a", 2)));
        Assert.Equal(SeedVerdict.MoveIfNobodyDoes, Decide(At("a", 2), At("b", 2)));
    }

    [Fact]
    public void Of_several_clusters_all_but_the_largest_go()
    {
        Assert.Equal(SeedVerdict.MoveIfNobodyDoes, Decide(At("c", 9), At("a", 2), At("b", 3)));
        Assert.Equal(SeedVerdict.Move, Decide(At("b", 3), At("a", 2), At("c", 9)));
    }

    [Fact]
    public void A_coordinator_that_is_still_joining_moves_nobody() => Assert.Equal(SeedVerdict.Stay, Decide(At("b", 1), At("a", 0)));

    [Fact]
    public void Without_a_cluster_anywhere_the_first_in_order_begins_one()
    {
        Assert.Equal(SeedVerdict.Begin, Decide(At("a", 0), At("b", 0)));
        Assert.Equal(SeedVerdict.Stay, Decide(At("b", 0), At("a", 0)));
        Assert.Equal(SeedVerdict.Begin, Decide(At("b", 0)));
    }

    [Fact]
    public void Who_is_in_no_cluster_begins_none_while_there_is_one() => Assert.Equal(SeedVerdict.Stay, Decide(At("a", 0), At("b", 1)));

    private static SeedVerdict Decide(Coordinator self, params Coordinator[] apart) => SeedPolicy.Decide(self, apart);

    private static Coordinator At(string host, int members) => new(new Address("akka.tcp", "crashcart", host, 1), members);
}
