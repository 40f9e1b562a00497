using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests;

/// <summary>What SIGTERM does to a coordinator, and what a fleet of one is.</summary>
public sealed class StopTests
{
    [Fact]
    public async Task Runs_are_told_and_sessions_end_everywhere_and_the_socket_goes()
    {
        await using var node = new PlayedNode("alpha", PlayedNode.Container("web-1"));
        await using var coordinator = await TestCoordinator.StartAsync();
        await node.JoinAsync(coordinator.ClusterAddress);
        await coordinator.NodesAsync(nodes => nodes is [{ State: "up" }]);
        using var run = coordinator.Run(TestRun.In("web-1"));
        await run.StartedAsync();
        using var tool = await node.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);

        var stopping = coordinator.StopAsync();
        Assert.Equal(125, (await run.SessionEndedAsync()).Failure.ExitCode);
        await run.EndedAsync();
        await tool.Session.Ended;
        Assert.Equal(StatusCode.Cancelled, await tool.BrokenAsync());
        await stopping.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.False(Path.Exists(coordinator.Socket));
    }

    [Fact]
    public async Task A_fleet_of_one_serves_by_sockets_alone_and_drains_its_node_at_the_end()
    {
        await using var node = new PlayedNode("here", PlayedNode.Container("web-1"));
        var drained = new TaskCompletionSource();
        var solo = new SoloNode(node.Populate, _ =>
        {
            drained.SetResult();
            return Task.CompletedTask;
        });
        await using var coordinator = await TestCoordinator.StartAsync(node: solo);
        await coordinator.NodesAsync(nodes => nodes is [{ Name: "here", State: "up" }]);

        using var run = coordinator.Run(TestRun.In("here/web-1"));
        await run.StartedAsync();
        using var tool = await node.ToolAsync();
        Assert.StartsWith("unix:/", tool.Session.Start.StreamEndpoint);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(tool.Session.Start.StreamEndpoint["unix:".Length..]));
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await tool.ExitAsync(3);
        Assert.Equal(3, (await run.SessionEndedAsync()).ExitCode);
        await run.EndedAsync();

        await coordinator.StopAsync();
        Assert.True(drained.Task.IsCompleted);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.GetDirectoryName(coordinator.Socket)!));
    }
}
