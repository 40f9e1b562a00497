using Crashcart.Actors.Node.Containers;

namespace Crashcart.Actors.Tests.Node;

public sealed class BackoffTests
{
    [Fact]
    public void Doubles_up_to_the_longest_and_starts_again()
    {
        var backoff = new Backoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(5));

        Assert.Equal([1, 2, 4, 5, 5], Enumerable.Range(0, 5).Select(_ => backoff.Next().TotalSeconds));
        backoff.Reset();
        Assert.Equal(1, backoff.Next().TotalSeconds);
    }
}
