using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests;

/// <summary>What is held on the nodes: mounts and sessions, by whom, and how they end.</summary>
[Collection(nameof(SmallFleet))]
public sealed class LeasesTests(SmallFleet fleet)
{
    private Leases.LeasesClient Client => fleet.Coordinator.Leases;

    [Fact]
    public async Task A_mount_is_held_by_who_asked_for_it_until_it_is_taken_away()
    {
        var mounted = Assert.Single((await MountAsync(new MountRequest { Container = "alpha/web-1" })).Mounts);
        Assert.Equal(("alpha", "web-1", ""), (mounted.Container.Node, mounted.Container.Name, mounted.Problem));

        var held = Assert.Single((await Client.ListLeasesAsync(new ListLeasesRequest { Node = "alpha" })).Mounts);
        Assert.Equal(("alpha", mounted.LeaseId, "user 0"), (held.Node, held.LeaseId, Assert.Single(held.Holders)));

        Assert.True(Assert.Single((await Client.UnmountAsync(new UnmountRequest { Container = "alpha/web-1" })).Mounts).WasMounted);
        Assert.False(Assert.Single((await Client.UnmountAsync(new UnmountRequest { Container = "alpha/web-1" })).Mounts).WasMounted);
        Assert.Empty((await Client.ListLeasesAsync(new ListLeasesRequest { Node = "alpha" })).Mounts);
    }

    [Fact]
    public async Task Every_container_of_a_selection_is_told_of()
    {
        var selection = new Selection { Selector = "app in (web,still)" };

        var mounted = (await MountAsync(new MountRequest { Selection = selection })).Mounts;

        Assert.Equal(
            [("alpha/still", "It is paused."), ("alpha/web-1", ""), ("beta/web-2", "")],
            mounted.Select(mount => ($"{mount.Container.Node}/{mount.Container.Name}", mount.Problem)));
        await Client.UnmountAsync(new UnmountRequest { Selection = selection });
        Assert.Empty((await MountAsync(new MountRequest { Selection = new Selection { Selector = "app=none" } })).Mounts);
    }

    [Theory]
    [InlineData("nosuch", StatusCode.NotFound)]
    [InlineData("twin", StatusCode.InvalidArgument)]
    [InlineData("", StatusCode.InvalidArgument)]
    public async Task A_container_that_nobody_or_several_have_is_refused(string container, StatusCode status) =>
        Assert.Equal(status, (await Assert.ThrowsAsync<RpcException>(() => MountAsync(new MountRequest { Container = container }))).StatusCode);

    [Fact]
    public async Task A_malformed_selector_is_refused()
    {
        var listed = await Assert.ThrowsAsync<RpcException>(() => Client.ListLeasesAsync(new ListLeasesRequest { Selector = "a b" }).ResponseAsync);

        Assert.Equal(StatusCode.InvalidArgument, listed.StatusCode);
    }

    [Fact]
    public async Task A_session_is_listed_and_ends_when_it_is_killed()
    {
        using var run = fleet.Coordinator.Run(TestRun.In("alpha/db-1"));
        await run.StartedAsync();
        using var tool = await fleet.Alpha.ToolAsync();
        var id = tool.Session.Start.SessionId;

        Assert.Contains((await Client.ListLeasesAsync(new ListLeasesRequest())).Sessions, session => session.SessionId == id);
        var killed = await Client.KillAsync(new KillRequest { Id = id });

        Assert.Equal(("alpha", id), (Assert.Single(killed.Sessions).Node, killed.Sessions[0].SessionId));
        await tool.Session.Ended;
        await tool.ExitAsync(129);
    }

    [Fact]
    public async Task A_run_that_is_killed_ends_and_starts_no_more()
    {
        using var run = fleet.Coordinator.Run(TestRun.Where("app=web", parallel: 1));
        var id = (await run.StartedAsync()).RunId;
        using var tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);

        Assert.Single((await Client.KillAsync(new KillRequest { Id = id })).Sessions);

        await tool.Session.Ended;
        Assert.Equal(125, (await run.SessionEndedAsync()).Failure.ExitCode);
        Assert.Equal(125, (await run.SessionEndedAsync()).Failure.ExitCode);
        await run.EndedAsync();
    }

    [Fact]
    public async Task What_does_not_run_is_not_killed()
    {
        Assert.Empty((await Client.KillAsync(new KillRequest { Id = "run-none" })).Sessions);
        var refused = await Assert.ThrowsAsync<RpcException>(() => Client.KillAsync(new KillRequest()).ResponseAsync);
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);
    }

    private async Task<MountResponse> MountAsync(MountRequest request) =>
        Assert.IsType<MountResponse>((await TestMount.EventsAsync(fleet.Coordinator, request))[^1].Done);
}
