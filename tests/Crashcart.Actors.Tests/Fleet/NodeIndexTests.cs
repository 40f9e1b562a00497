using Crashcart.Actors.Fleet;
using Crashcart.Actors.Node;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class NodeIndexTests
{
    private static readonly Container[] Containers =
    [
        Container("web", ("app", "web"), ("tier", "front"), ("canary", "")),
        Container("db", ("app", "db"), ("tier", "back")),
    ];

    private static readonly NodeIndex Index = new(Containers.SelectMany(Fingerprint.Of));

    [Theory]
    [InlineData("")]
    [InlineData("app=web")]
    [InlineData("app in (other,db)")]
    [InlineData("app=web,tier=front")]
    [InlineData("canary")]
    [InlineData("!canary")]
    [InlineData("app!=web")]
    [InlineData("app notin (web)")]
    [InlineData("other!=x")]
    public void A_node_that_has_such_a_container_may_have_one(string selector)
    {
        Assert.Contains(Containers, container => Parse(selector).Matches(container.Labels));
        Assert.True(Index.MayMatch(Parse(selector)));
    }

    [Theory]
    [InlineData("app=cache")]
    [InlineData("app in (cache,queue)")]
    [InlineData("app=web,zone=a")]
    [InlineData("zone")]
    [InlineData("tier=web")]
    [InlineData("web=app")]
    [InlineData("apptier=front")]
    public void A_node_without_such_a_label_has_no_such_container(string selector) => Assert.False(Index.MayMatch(Parse(selector)));

    [Fact]
    public void Labels_of_several_containers_say_nothing_of_one() => Assert.True(Index.MayMatch(Parse("app=web,tier=back")));

    [Fact]
    public void Where_nothing_runs_nothing_is_found() => Assert.False(new NodeIndex([]).MayMatch(Selector.All));

    [Fact]
    public void A_container_is_known_by_its_name_and_its_id()
    {
        Assert.True(Index.MayHave("web"));
        Assert.True(Index.MayHave("id-of-db"));
        Assert.False(Index.MayHave("id-of"));
        Assert.False(Index.MayHave("app"));
    }

    private static Selector Parse(string text)
    {
        Assert.True(Selector.TryParse(text, out Selector selector, out string problem), problem);
        return selector;
    }

    private static Container Container(string name, params (string Key, string Value)[] labels) => new(
        new ContainerId($"id-of-{name}"), 1, name, "image", "running", "docker", labels.ToDictionary(label => label.Key, label => label.Value), 0);
}
