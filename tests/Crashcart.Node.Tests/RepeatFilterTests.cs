namespace Crashcart.Node.Tests;

public sealed class RepeatFilterTests
{
    [Fact]
    public void Says_a_thing_once_in_a_while()
    {
        var time = new ManualTime();
        var filter = new RepeatFilter<string>(TimeSpan.FromMinutes(1), time);

        Assert.True(filter.Passes("a"));
        Assert.False(filter.Passes("a"));
        Assert.True(filter.Passes("b"));

        time.Now += TimeSpan.FromMinutes(1);
        Assert.True(filter.Passes("a"));
        Assert.False(filter.Passes("a"));
    }

    private sealed class ManualTime : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long GetTimestamp() => Now.Ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    }
}
