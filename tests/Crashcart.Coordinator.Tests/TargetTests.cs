using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests;

/// <summary>Which containers a run is for.</summary>
[Collection(nameof(SmallFleet))]
public sealed class TargetTests(SmallFleet fleet)
{
    [Theory]
    [InlineData("web-1", "alpha", "web-1")]
    [InlineData("alpha/web-1", "alpha", "web-1")]
    [InlineData("beta/twin", "beta", "twin")]
    [InlineData("db010", "alpha", "db-1")]
    [InlineData("alpha/twin", "alpha", "twin")]
    [InlineData("still", "alpha", "still")]
    public async Task One_container_is_found_by_name_or_id_prefix(string container, string node, string name)
    {
        using var run = fleet.Coordinator.Run(TestRun.In(container));
        var target = Assert.Single((await run.StartedAsync()).Targets);
        Assert.Equal((node, name), (target.Node, target.Name));

        var played = node == "alpha" ? fleet.Alpha : fleet.Beta;
        using var tool = await played.ToolAsync();
        Assert.Equal(target.Id, tool.Session.Start.ContainerId);
        await tool.ExitAsync(0);
    }

    [Fact]
    public async Task A_name_that_several_nodes_have_is_refused_and_they_are_named()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("twin"));
        var failure = await run.FailureAsync();
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Contains("alpha/twin", failure.Detail);
        Assert.Contains("beta/twin", failure.Detail);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData("beta/web-1")]
    [InlineData("gamma/web-1")]
    public async Task A_container_that_is_nowhere_is_not_found(string container)
    {
        using var run = fleet.Coordinator.Run(TestRun.In(container));
        var failure = await run.FailureAsync();
        Assert.Equal(StatusCode.NotFound, failure.StatusCode);
        Assert.EndsWith("lists what runs.", failure.Detail);
    }

    [Fact]
    public async Task A_selection_starts_in_every_container_that_it_selects()
    {
        using var run = fleet.Coordinator.Run(TestRun.Where("app=web"));
        Assert.Equal(["web-1", "web-2"], (await run.StartedAsync()).Targets.Select(target => target.Name));
        await (await fleet.Alpha.ToolAsync()).ExitAsync(0);
        await (await fleet.Beta.ToolAsync()).ExitAsync(0);
    }

    [Fact]
    public async Task A_selection_may_be_of_the_nodes_that_a_glob_names()
    {
        var request = TestRun.Where("app=web");
        request.Selection.Node = "be*";
        using var run = fleet.Coordinator.Run(request);
        Assert.Equal(["web-2"], (await run.StartedAsync()).Targets.Select(target => target.Name));
        await (await fleet.Beta.ToolAsync()).ExitAsync(0);
    }

    [Fact]
    public async Task A_selection_of_nothing_starts_without_targets_and_ends()
    {
        using var run = fleet.Coordinator.Run(TestRun.Where("app=nothing"));
        Assert.Empty((await run.StartedAsync()).Targets);
        await run.EndedAsync();
    }

    [Fact]
    public async Task A_malformed_selector_is_refused_with_its_place_before_any_node_is_asked()
    {
        var before = fleet.Alpha.Questions + fleet.Beta.Questions;
        using var run = fleet.Coordinator.Run(TestRun.Where("app=web,,"));
        var failure = await run.FailureAsync();
        Assert.Equal(StatusCode.InvalidArgument, failure.StatusCode);
        Assert.Contains("at character 9", failure.Detail);

        var listing = await Assert.ThrowsAsync<RpcException>(
            async () => await fleet.Coordinator.Client.ListContainersAsync(new ListContainersRequest { Selector = "a in" }));
        Assert.Equal(StatusCode.InvalidArgument, listing.StatusCode);
        Assert.Equal(before, fleet.Alpha.Questions + fleet.Beta.Questions);
    }

    [Fact]
    public async Task A_run_without_a_tool_or_a_target_is_refused()
    {
        using var toolless = fleet.Coordinator.Run(new RunRequest { Container = "web-1", Tool = new Tool() });
        Assert.Equal(StatusCode.InvalidArgument, (await toolless.FailureAsync()).StatusCode);
        using var aimless = fleet.Coordinator.Run(new RunRequest { Tool = new Tool { Argv = { "ls" } } });
        Assert.Equal(StatusCode.InvalidArgument, (await aimless.FailureAsync()).StatusCode);
    }

    [Fact]
    public async Task Containers_are_listed_from_every_node()
    {
        var listed = await fleet.Coordinator.Client.ListContainersAsync(new ListContainersRequest { Selector = "tier" });
        Assert.Equal(["alpha/web-1", "beta/web-2"], listed.Containers.Select(container => $"{container.Node}/{container.Name}"));
        Assert.Empty(listed.Unanswered);
    }

    [Fact]
    public async Task Nodes_are_listed_as_they_describe_themselves()
    {
        var listed = await fleet.Coordinator.Client.ListNodesAsync(new ListNodesRequest());
        Assert.Equal(["alpha up 1.2.3 5", "beta up 1.2.3 2"], listed.Nodes.Select(n => $"{n.Name} {n.State} {n.Version} {n.Containers}"));
    }

    [Fact]
    public async Task A_node_that_does_not_answer_is_named_and_the_others_go_on()
    {
        fleet.Beta.IsSilent = true;
        try
        {
            using var run = fleet.Coordinator.Run(TestRun.Where("app=web"));
            var started = await run.StartedAsync();
            Assert.Equal("beta", Assert.Single(started.Unanswered).Node);
            Assert.Equal("web-1", Assert.Single(started.Targets).Name);
            await (await fleet.Alpha.ToolAsync()).ExitAsync(0);
        }
        finally
        {
            fleet.Beta.IsSilent = false;
        }
    }
}
