using Crashcart.Actors.Node.Leases;

namespace Crashcart.Actors.Tests.Node;

public sealed class HoldersTests
{
    private readonly Holders<string> _holders = new();

    [Fact]
    public void A_holder_counts_once()
    {
        Assert.True(_holders.Add("a"));
        Assert.False(_holders.Add("a"));
        Assert.True(_holders.RemoveLast("a"));
        Assert.False(_holders.Any);
    }

    [Fact]
    public void Only_the_last_to_go_is_the_last()
    {
        _holders.Add("a");
        _holders.Add("b");

        Assert.False(_holders.RemoveLast("a"));
        Assert.True(_holders.RemoveLast("b"));
    }

    [Fact]
    public void Who_never_held_and_who_has_released_changes_nothing()
    {
        _holders.Add("a");

        Assert.False(_holders.RemoveLast("b"));
        Assert.True(_holders.RemoveLast("a"));
        Assert.False(_holders.RemoveLast("a"));
    }

    [Fact]
    public void All_can_be_sent_away()
    {
        _holders.Add("a");
        _holders.Add("b");

        Assert.Equal(["a", "b"], _holders.Clear().Order());
        Assert.Empty(_holders.All);
    }
}
