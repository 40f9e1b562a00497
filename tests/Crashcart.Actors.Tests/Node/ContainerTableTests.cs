using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Containers;

namespace Crashcart.Actors.Tests.Node;

public sealed class ContainerTableTests
{
    private readonly ContainerTable _table = new();

    [Fact]
    public void An_exact_name_wins_over_an_id_prefix()
    {
        Put("abc0", "web");
        Put("def0", "abc");

        Assert.Equal(["abc"], Find("abc"));
    }

    [Fact]
    public void An_exact_id_wins_over_a_longer_one()
    {
        Put("abc", "short");
        Put("abcdef", "long");

        Assert.Equal(["short"], Find("abc"));
    }

    [Fact]
    public void An_ambiguous_prefix_finds_all_that_have_it()
    {
        Put("abc0", "one");
        Put("abc1", "two");
        Put("def0", "three");

        Assert.Equal(["one", "two"], Find("abc"));
    }

    [Fact]
    public void A_name_has_no_prefix()
    {
        Put("abc0", "web-1");

        Assert.Empty(Find("web"));
    }

    [Fact]
    public void A_selector_selects_among_the_named()
    {
        Put("abc0", "one", ("app", "web"));
        Put("abc1", "two", ("app", "db"));

        Assert.Equal(["one"], Find("", "app=web"));
        Assert.Empty(Find("two", "app=web"));
        Assert.Equal(["one", "two"], Find(""));
    }

    [Fact]
    public void A_restarted_container_has_a_new_process()
    {
        Assert.True(_table.Put(New("abc", "web", pid: 1)));
        Assert.False(_table.Put(New("abc", "web", pid: 1) with { State = "paused" }));
        Assert.True(_table.Put(New("abc", "web", pid: 2)));

        Assert.False(_table.Remove(new ContainerId("abc"), pid: 1));
        Assert.True(_table.Remove(new ContainerId("abc"), pid: 2));
        Assert.Equal(0, _table.Count);
    }

    private static Container New(string id, string name, int pid, params (string Key, string Value)[] labels) => new(
        new ContainerId(id), pid, name, "busybox", "running", "docker", labels.ToDictionary(l => l.Key, l => l.Value), 0);

    private void Put(string id, string name, params (string Key, string Value)[] labels) => _table.Put(New(id, name, 1, labels));

    private IEnumerable<string> Find(string nameOrId, string selector = "")
    {
        Assert.True(Selector.TryParse(selector, out var parsed, out _));
        return _table.Find(parsed, nameOrId).Select(c => c.Name);
    }
}
