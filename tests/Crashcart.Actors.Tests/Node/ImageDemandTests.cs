using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Node;

public sealed class ImageDemandTests
{
    private readonly ImageDemand<string> _demand = new(holder => holder);

    [Fact]
    public void Users_are_those_who_have_it_those_who_will_and_people()
    {
        _demand.Hold(["c"]);
        _demand.Wait("b", new WantedImage());
        _demand.Lease(["a"]);

        Assert.Equal(["a", "b", "c"], _demand.Users);
    }

    [Fact]
    public void What_nobody_wanted_gone_does_not_go() => Assert.False(_demand.ShallGo);

    [Fact]
    public void What_is_unwanted_goes_after_its_last_use()
    {
        _demand.Hold(["a"]);
        _demand.Lease(["lease"]);
        _demand.Unwant();
        Assert.False(_demand.ShallGo);

        _demand.Hold([]);
        Assert.False(_demand.ShallGo);
        _demand.Lease([]);

        Assert.True(_demand.ShallGo);
    }

    [Fact]
    public void Who_waited_when_it_was_unwanted_gets_it_and_keeps_it_no_longer()
    {
        _demand.Wait("a", new WantedImage());
        _demand.Unwant();

        Assert.Equal(["a"], _demand.TakeWaiting());
        _demand.HoldToo(["a"]);
        Assert.False(_demand.ShallGo);
        _demand.Hold([]);

        Assert.True(_demand.ShallGo);
    }

    [Fact]
    public void Who_wants_it_after_it_was_unwanted_keeps_it()
    {
        _demand.Hold(["a"]);
        _demand.Unwant();
        _demand.Wait("b", new WantedImage());
        _demand.TakeWaiting();
        _demand.Hold([]);

        Assert.False(_demand.ShallGo);
    }

    [Fact]
    public void Who_has_left_waits_no_more_and_his_tickets_are_as_good_as_any()
    {
        _demand.Wait("a", new WantedImage { Name = "tools:1" });
        _demand.Leave("a");

        Assert.Empty(_demand.Waiting);
        Assert.Equal("tools:1", _demand.Freshest.Name);
    }
}
