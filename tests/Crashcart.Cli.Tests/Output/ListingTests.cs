using Crashcart.Api;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Output;

namespace Crashcart.Cli.Tests.Output;

public sealed class ListingTests
{
    [Fact]
    public void Columns_are_as_wide_as_their_widest_cell_and_harmless() => Assert.Equal(
        "NAME  X\na     long\nb\uFFFDc   y\n",
        TextTable.Of(["NAME", "X"], [["a", "long"], ["b\ec", "y"]]));

    [Fact]
    public void A_silent_node_s_numbers_are_not_zero()
    {
        var row = NodesCommand.Row(new Node { Name = "n", State = "unreachable", Problem = "did not answer in 2 s" });
        Assert.Equal(["n", "unreachable", "-", "-", "-", "-", "-", "-"], row);
    }

    [Fact]
    public void A_runtime_that_is_down_is_named_so()
    {
        var node = new Node
        {
            Name = "n",
            State = "up",
            Version = "0.1.0",
            Runtimes = { new Runtime { Name = "docker", Problem = "no socket" } },
            Containers = 2,
            ImageDigests = { "sha256:0123456789abcdef" },
        };
        Assert.Equal(["n", "up", "0.1.0", "docker (down)", "2", "0", "0", "0123456789ab"], NodesCommand.Row(node));
    }

    [Fact]
    public void A_container_s_row_has_its_labels_in_order()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_000_000);
        var container = new Container
        {
            Node = "n",
            Id = "0123456789abcdef",
            Name = "web",
            Image = "i",
            State = "running",
            StartedUnixMs = now.AddMinutes(-90).ToUnixTimeMilliseconds(),
            Labels = { ["b"] = "2", ["a"] = "1" },
        };
        Assert.Equal(["n", "web", "0123456789ab", "i", "running", "1h", "a=1,b=2"], PsCommand.Row(container, now));
    }

    [Theory]
    [InlineData(-5, "0s")]
    [InlineData(59, "59s")]
    [InlineData(60, "1m")]
    [InlineData(7200, "2h")]
    [InlineData(172_800, "2d")]
    public void An_age_has_one_unit(int seconds, string text) => Assert.Equal(text, PsCommand.Age(TimeSpan.FromSeconds(seconds)));
}
