namespace Crashcart.Image.Tests;

public sealed class TreeTests
{
    private readonly Tree _tree = new();

    public TreeTests()
    {
        _tree["lib/real/file"] = new TreeFile("p", [1], false);
        _tree["lib/link"] = new TreeLink("p", "lib/real");
        _tree["top"] = new TreeLink("p", "lib/link/file");
    }

    [Theory]
    [InlineData("lib/real/file", "lib/real/file")]
    [InlineData("top", "lib/real/file")]
    [InlineData("lib/link/file", "lib/real/file")]
    [InlineData("lib/link", "lib/real")]
    [InlineData("lib", "lib")]
    [InlineData("li", null)]
    [InlineData("lib/real/none", null)]
    public void Follows_links_of_files_and_directories(string path, string? expected)
        => Assert.Equal(expected, _tree.Resolve(path));

    [Fact]
    public void A_ring_of_links_leads_nowhere()
    {
        _tree["a"] = new TreeLink("p", "b");
        _tree["b"] = new TreeLink("p", "a");

        Assert.Null(_tree.Resolve("a"));
        _tree.RemoveDanglingLinks();
        Assert.Null(_tree["a"]);
        Assert.NotNull(_tree["top"]);
    }

    [Fact]
    public void Entries_are_in_the_order_of_their_bytes()
    {
        _tree["lib-a"] = new TreeFile("p", [], false);
        Assert.Equal(["lib-a", "lib/link", "lib/real/file", "top"], _tree.Entries.Select(e => e.Key));
    }
}
