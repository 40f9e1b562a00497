using Crashcart.Cli.Local;

namespace Crashcart.Cli.Tests.Local;

public sealed class SessionSignalsTests
{
    [Fact]
    public void A_signal_before_the_tool_runs_takes_the_start_back()
    {
        using var signals = new SessionSignals(early: true);
        Assert.False(signals.Early.IsCancellationRequested);
        signals.On(15);
        Assert.True(signals.Early.IsCancellationRequested);
        Assert.Equal(128 + 15, signals.Status);
    }
}
