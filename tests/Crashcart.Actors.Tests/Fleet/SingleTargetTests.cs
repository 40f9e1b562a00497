using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Fleet;

public sealed class SingleTargetTests
{
    [Theory]
    [InlineData("web", null, "web")]
    [InlineData("node-1/web", "node-1", "web")]
    [InlineData("node-1/a/b", "node-1", "a/b")]
    [InlineData("/web", null, "web")]
    [InlineData("node-1/", "node-1", "")]
    public void A_target_is_read_as_a_container_or_as_a_node_and_a_container(string text, string? node, string container) =>
        Assert.Equal(new RunTargets.One(node, container), RunTargets.One.Parse(text));

    [Fact]
    public void The_only_container_found_is_the_target()
    {
        RunTarget web = Target("node-1", "web", "aaaa");

        Assert.Equal([web], Choose("aa", [web]));
    }

    [Fact]
    public void A_whole_name_wins_over_a_beginning_on_another_node()
    {
        RunTarget named = Target("node-1", "abc", "1111");
        RunTarget prefixed = Target("node-2", "other", "abcd");

        Assert.Equal([named], Choose("abc", [prefixed, named]));
    }

    [Fact]
    public void A_whole_id_wins_over_a_beginning_on_another_node()
    {
        RunTarget whole = Target("node-1", "web", "abc");
        RunTarget prefixed = Target("node-2", "other", "abcd");

        Assert.Equal([whole], Choose("abc", [prefixed, whole]));
    }

    [Fact]
    public void None_found_is_said_with_what_lists_them()
    {
        RunEvent.Rejected rejection = Reject("web", []);

        Assert.True(rejection.NotFound);
        Assert.Equal("No running container is named, or has an id that begins, 'web' on any node; 'crashcart ps' lists what runs.", rejection.Message);
    }

    [Fact]
    public void None_found_on_one_node_names_the_node() => Assert.Equal(
        "No running container is named, or has an id that begins, 'web' on node node-1; 'crashcart ps' lists what runs.",
        Reject("node-1/web", []).Message);

    [Fact]
    public void None_found_while_nodes_are_silent_names_them_and_why()
    {
        RunEvent.Rejected rejection = Reject(
            "web",
            [],
            new SilentNode("node-1", "The node is unreachable."),
            new SilentNode("node-2", "Docker does not answer."));

        Assert.True(rejection.NotFound);
        Assert.Equal(
            "No running container is named, or has an id that begins, 'web' on any node; "
            + "not every node could say: node-1 (The node is unreachable), node-2 (Docker does not answer).",
            rejection.Message);
    }

    [Fact]
    public void Several_found_are_all_named()
    {
        RunEvent.Rejected rejection = Reject("web", [Target("node-1", "web", "aaaa"), Target("node-2", "web", "bbbb")]);

        Assert.False(rejection.NotFound);
        Assert.Equal("'web' means 2 containers: node-1/web, node-2/web; name one of them.", rejection.Message);
    }

    [Fact]
    public void Of_many_found_the_first_five_are_named()
    {
        RunEvent.Rejected rejection = Reject("a", [.. Enumerable.Range(1, 8).Select(n => Target("node-1", $"web-{n}", $"a{n}"))]);

        Assert.Equal(
            "'a' means 8 containers: node-1/web-1, node-1/web-2, node-1/web-3, node-1/web-4, node-1/web-5 and 3 more; name one of them.",
            rejection.Message);
    }

    [Fact]
    public void A_node_without_a_container_is_no_target_even_if_it_has_only_one()
    {
        RunEvent.Rejected rejection = Reject("node-1/", [Target("node-1", "web", "aaaa")]);

        Assert.False(rejection.NotFound);
        Assert.Equal("'node-1/' names no container; 'crashcart ps' lists what runs.", rejection.Message);
    }

    private static IReadOnlyList<RunTarget> Choose(string wanted, IReadOnlyList<RunTarget> found)
    {
        Assert.True(
            SingleTarget.TryChoose(RunTargets.One.Parse(wanted), new FleetQuery.Containers(found, []), out var target, out var rejection),
            rejection?.Message);
        return target;
    }

    private static RunEvent.Rejected Reject(string wanted, IReadOnlyList<RunTarget> found, params SilentNode[] silent)
    {
        Assert.False(SingleTarget.TryChoose(RunTargets.One.Parse(wanted), new FleetQuery.Containers(found, silent), out _, out var rejection));
        return rejection;
    }

    private static RunTarget Target(string node, string name, string id) =>
        new(node, new Address("akka.tcp", "crashcart", node, 4200), new ContainerDescription { Id = id, Name = name });
}
