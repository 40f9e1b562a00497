using Crashcart.Cli.Remote;

namespace Crashcart.Cli.Tests.Remote;

public sealed class InterruptionTests
{
    private readonly List<string> _done = [];
    private readonly Interruption _interruption;

    public InterruptionTests() => _interruption = new Interruption(signal => _done.Add($"pass {signal}"), () => _done.Add("end"));

    [Fact]
    public void The_first_goes_to_the_tools_the_second_kills_them_and_the_third_leaves()
    {
        _interruption.On(2);
        _interruption.On(15);
        Assert.Equal(0, _interruption.EndedBy);
        _interruption.On(15);
        Assert.Equal(["pass 2", "pass 9", "end"], _done);
        Assert.Equal(15, _interruption.EndedBy);
    }

    [Fact]
    public void While_nothing_runs_the_first_leaves()
    {
        _interruption.IsWaiting = true;
        _interruption.On(2);
        Assert.Equal(["end"], _done);
    }

    [Fact]
    public void Signals_that_do_not_wish_an_end_do_not_count()
    {
        _interruption.On(10);
        _interruption.On(12);
        _interruption.On(2);
        Assert.Equal(["pass 10", "pass 12", "pass 2"], _done);
    }
}
