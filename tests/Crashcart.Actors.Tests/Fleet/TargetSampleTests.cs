using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class TargetSampleTests
{
    private static readonly IReadOnlyList<RunTarget> Hundred = [.. Enumerable.Range(0, 100).Select(Target)];

    [Theory]
    [InlineData(7, false, 7)]
    [InlineData(100, false, 100)]
    [InlineData(1000, false, 100)]
    [InlineData(10, true, 10)]
    [InlineData(1, true, 1)]
    [InlineData(100, true, 100)]
    public void As_many_are_drawn_as_asked_for(int value, bool isPercent, int drawn) =>
        Assert.Equal(drawn, new TargetSample(value, isPercent, 1).Draw(Hundred).Count);

    [Fact]
    public void A_percentage_is_rounded_up() => Assert.Single(new TargetSample(1, true, 1).Draw([Target(0), Target(1)]));

    [Fact]
    public void The_drawn_keep_their_order()
    {
        IReadOnlyList<RunTarget> drawn = new TargetSample(20, false, 1).Draw(Hundred);

        Assert.Equal(drawn.OrderBy(target => Hundred.ToList().IndexOf(target)), drawn);
    }

    [Fact]
    public void A_seed_draws_the_same_again_and_another_seed_others()
    {
        Assert.Equal(new TargetSample(20, false, 1).Draw(Hundred), new TargetSample(20, false, 1).Draw(Hundred));
        Assert.NotEqual(new TargetSample(20, false, 1).Draw(Hundred), new TargetSample(20, false, 2).Draw(Hundred));
    }

    [Fact]
    public void A_target_that_goes_changes_nothing_for_those_that_were_not_drawn_but_one()
    {
        var sample = new TargetSample(20, false, 1);
        IReadOnlyList<RunTarget> drawn = sample.Draw(Hundred);

        IReadOnlyList<RunTarget> again = sample.Draw([.. Hundred.Where(target => target != drawn[3])]);

        Assert.Equal(19, again.Intersect(drawn).Count());
    }

    private static RunTarget Target(int n) =>
        new("node", Address.AllSystems, new ContainerDescription { Id = $"id-{n}", Name = $"web-{n}" });
}
