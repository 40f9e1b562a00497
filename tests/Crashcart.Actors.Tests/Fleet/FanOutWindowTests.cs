using Crashcart.Actors.Fleet;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class FanOutWindowTests
{
    [Fact]
    public void As_many_targets_as_the_width_start_in_order()
    {
        var window = new FanOutWindow(targets: 5, width: 2);

        Assert.Equal([0, 1], window.TakeStartable());
        Assert.Empty(window.TakeStartable());
    }

    [Fact]
    public void A_width_of_zero_starts_all_at_once() =>
        Assert.Equal([0, 1, 2], new FanOutWindow(targets: 3, width: 0).TakeStartable());

    [Fact]
    public void A_width_beyond_the_targets_starts_all_at_once() =>
        Assert.Equal([0, 1], new FanOutWindow(targets: 2, width: int.MaxValue).TakeStartable());

    [Fact]
    public void A_finished_target_makes_room_for_the_next()
    {
        var window = new FanOutWindow(targets: 4, width: 2);
        window.TakeStartable();

        Assert.True(window.Finish(1));

        Assert.Equal([2], window.TakeStartable());
        Assert.Equal([0, 2], window.Running.Order());
    }

    [Fact]
    public void A_targets_end_counts_once()
    {
        var window = new FanOutWindow(targets: 3, width: 1);
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
        var window = new FanOutWindow(targets: 3, width: 1);
        window.TakeStartable();

        Assert.False(window.Finish(target));
        Assert.True(window.IsRunning(0));
    }

    [Fact]
    public void It_is_done_when_every_target_has_finished()
    {
        var window = new FanOutWindow(targets: 2, width: 1);
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
        Assert.True(new FanOutWindow(targets: 0, width).IsDone);

    [Fact]
    public void Closing_gives_what_runs_and_what_has_not_started_in_order()
    {
        var window = new FanOutWindow(targets: 5, width: 3);
        window.TakeStartable();
        window.Finish(1);

        Assert.Equal([0, 2, 3, 4], window.Close());
    }

    [Fact]
    public void After_closing_nothing_starts_or_finishes()
    {
        var window = new FanOutWindow(targets: 5, width: 3);
        window.TakeStartable();
        window.Close();

        Assert.True(window.IsDone);
        Assert.Empty(window.TakeStartable());
        Assert.False(window.Finish(0));
        Assert.Empty(window.Close());
    }

    [Theory]
    [InlineData(-1, 0)]
    [InlineData(0, -1)]
    public void Negative_numbers_are_refused(int targets, int width) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new FanOutWindow(targets, width));
}
