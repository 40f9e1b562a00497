using Crashcart.Actors.Fleet;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class FanOutWindowTests
{
    [Fact]
    public void As_many_targets_as_the_width_start_in_order()
    {
        var window = Window(targets: 5, width: 2);

        Assert.Equal([0, 1], window.TakeStartable());
        Assert.Empty(window.TakeStartable());
    }

    [Fact]
    public void A_width_of_zero_starts_all_at_once() =>
        Assert.Equal([0, 1, 2], Window(targets: 3, width: 0).TakeStartable());

    [Fact]
    public void A_width_beyond_the_targets_starts_all_at_once() =>
        Assert.Equal([0, 1], Window(targets: 2, width: int.MaxValue).TakeStartable());

    [Fact]
    public void A_finished_target_makes_room_for_the_next()
    {
        var window = Window(targets: 4, width: 2);
        window.TakeStartable();

        Assert.True(window.Finish(1));

        Assert.Equal([2], window.TakeStartable());
        Assert.Equal([0, 2], window.Running.Order());
    }

    [Fact]
    public void A_targets_end_counts_once()
    {
        var window = Window(targets: 3, width: 1);
        window.TakeStartable();

        Assert.True(window.Finish(0));
        Assert.False(window.Finish(0));

        Assert.Equal([1], window.TakeStartable());
        Assert.Empty(window.TakeStartable());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(7)]
    public void A_target_that_does_not_run_cannot_finish(int target)
    {
        var window = Window(targets: 3, width: 1);
        window.TakeStartable();

        Assert.False(window.Finish(target));
        Assert.True(window.IsRunning(0));
    }

    [Fact]
    public void It_is_done_when_every_target_has_finished()
    {
        var window = Window(targets: 2, width: 1);
        Assert.False(window.IsDone);
        window.TakeStartable();
        window.Finish(0);
        Assert.False(window.IsDone);
        window.TakeStartable();
        Assert.False(window.IsDone);
        window.Finish(1);

        Assert.True(window.IsDone);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    public void Without_targets_it_is_done_from_the_beginning(int width) =>
        Assert.True(Window(targets: 0, width).IsDone);

    [Fact]
    public void Closing_gives_what_runs_and_what_has_not_started_in_order()
    {
        var window = Window(targets: 5, width: 3);
        window.TakeStartable();
        window.Finish(1);

        Assert.Equal([0, 2, 3, 4], window.Close());
    }

    [Fact]
    public void After_closing_nothing_starts_or_finishes()
    {
        var window = Window(targets: 5, width: 3);
        window.TakeStartable();
        window.Close();

        Assert.True(window.IsDone);
        Assert.Empty(window.TakeStartable());
        Assert.False(window.Finish(0));
        Assert.Empty(window.Close());
    }

    [Fact]
    public void Each_node_runs_only_so_many()
    {
        var window = Window(new FanOut { PerNode = 1 }, "a", "a", "b", "a", "b");

        Assert.Equal([0, 2], window.TakeStartable());
        window.Finish(2);
        Assert.Equal([4], window.TakeStartable());
        window.Finish(0);
        Assert.Equal([1], window.TakeStartable());
    }

    [Fact]
    public void Both_limits_hold()
    {
        var window = Window(new FanOut { Parallel = 3, PerNode = 2 }, "a", "a", "a", "b", "b", "c");

        Assert.Equal([0, 1, 3], window.TakeStartable());
        window.Finish(3);
        Assert.Equal([4], window.TakeStartable());
        window.Finish(0);
        Assert.Equal([2], window.TakeStartable());
    }

    [Fact]
    public void Canaries_go_first_and_the_others_when_all_of_them_are_well()
    {
        var window = Window(new FanOut { Canary = 2 }, "a", "a", "a", "a");

        Assert.Equal([0, 1], window.TakeStartable());
        window.Finish(1);
        Assert.Empty(window.TakeStartable());
        window.Finish(0);
        Assert.Equal([2, 3], window.TakeStartable());
    }

    [Fact]
    public void After_a_canary_that_failed_nothing_starts()
    {
        var window = Window(new FanOut { Canary = 2 }, "a", "a", "a", "a");
        window.TakeStartable();

        window.Finish(0, failed: true);
        window.Finish(1);

        Assert.Empty(window.TakeStartable());
        Assert.Equal("1 of the first 2 failed", window.Halt);
        Assert.Equal([2, 3], window.TakeStopped());
        Assert.Empty(window.TakeStopped());
        Assert.True(window.IsDone);
    }

    [Fact]
    public void After_the_canaries_a_failure_stops_nothing()
    {
        var window = Window(new FanOut { Parallel = 1, Canary = 1 }, "a", "a", "a");
        window.TakeStartable();
        window.Finish(0);
        window.TakeStartable();

        window.Finish(1, failed: true);

        Assert.Equal([2], window.TakeStartable());
    }

    [Theory]
    [InlineData(0, false, 1)]
    [InlineData(1, false, 2)]
    [InlineData(0, true, 1)]
    [InlineData(50, true, 3)]
    [InlineData(49, true, 2)]
    public void When_more_have_failed_than_may_nothing_starts(int limit, bool isPercent, int enough)
    {
        var window = Window(new FanOut { Parallel = 1, MaxFailures = new FailureLimit(limit, isPercent) }, "a", "a", "a", "a");
        for (int target = 0; target < enough; target++)
        {
            Assert.Equal([target], window.TakeStartable());
            window.Finish(target, failed: true);
        }

        Assert.Empty(window.TakeStartable());
        Assert.Equal(Enumerable.Range(enough, 4 - enough), window.TakeStopped());
    }

    [Fact]
    public void What_runs_when_it_is_stopped_goes_on()
    {
        var window = Window(targets: 3, width: 2);
        window.TakeStartable();

        window.Stop("enough");
        window.Stop("more than enough");

        Assert.Equal([2], window.TakeStopped());
        Assert.Equal("enough", window.Halt);
        Assert.False(window.IsDone);
        Assert.True(window.Finish(0));
        Assert.True(window.Finish(1));
        Assert.True(window.IsDone);
    }

    [Fact]
    public void Targets_may_come_while_others_run()
    {
        var window = Window(targets: 1, width: 0);
        window.TakeStartable();
        window.Finish(0);
        Assert.True(window.IsDone);

        window.Add("node");

        Assert.False(window.IsDone);
        Assert.Equal([1], window.TakeStartable());
    }

    private static FanOutWindow Window(int targets, int width) =>
        Window(new FanOut { Parallel = width }, [.. Enumerable.Repeat("node", targets)]);

    private static FanOutWindow Window(FanOut fanOut, params string[] nodes)
    {
        var window = new FanOutWindow(fanOut);
        foreach (string node in nodes)
            window.Add(node);
        return window;
    }
}
