using System.Collections.Concurrent;
using Crashcart.Actors;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Ports;
using Crashcart.Node.Docker;
using Crashcart.Node.Tests.Host;

namespace Crashcart.Node.Tests.Docker;

[Collection(DockerTests.Name)]
public sealed class DockerRuntimeTests(DockerHost docker) : IDisposable
{
    private readonly DockerRuntime _runtime = new(docker.Socket, TimeProvider.System);
    private readonly CancellationTokenSource _ended = new();

    public void Dispose()
    {
        _ended.Cancel();
        _ended.Dispose();
        _runtime.Dispose();
    }

    [Fact]
    public async Task Lists_what_runs_with_all_that_a_selector_needs()
    {
        var id = await docker.RunContainerAsync("listed", "--label", "app=web", "--label", "tier=front");

        var snapshot = await _runtime.SnapshotAsync(default);

        var found = Assert.Single(snapshot.Containers, c => c.Id.Value == id);
        Assert.Equal(("listed", "tiny", "running", "docker"), (found.Name, found.Image, found.State, found.Runtime));
        Assert.Equal("web", found.Labels["app"]);
        Assert.Equal("front", found.Labels["tier"]);
        Assert.Equal(await docker.PidAsync("listed"), found.Pid);
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() - found.StartedUnixMs, 0, 60_000);
        Assert.NotEmpty(snapshot.Version);
    }

    [Fact]
    public async Task A_paused_container_runs_and_a_stopped_one_does_not()
    {
        var paused = await docker.RunContainerAsync("paused");
        var stopped = await docker.RunContainerAsync("stopped");
        await docker.DockerAsync("pause", "paused");
        await docker.DockerAsync("kill", "stopped");

        var containers = (await _runtime.SnapshotAsync(default)).Containers;

        Assert.Equal("paused", Assert.Single(containers, c => c.Id.Value == paused).State);
        Assert.DoesNotContain(containers, c => c.Id.Value == stopped);
        Assert.Null(await InspectAsync(stopped));
        await docker.DockerAsync("unpause", "paused");
    }

    [Fact]
    public async Task A_container_that_does_not_exist_is_none() => Assert.Null(await InspectAsync(new string('0', 64)));

    [Fact]
    public async Task Tells_of_each_container_that_changes_after_the_list()
    {
        var changed = new ConcurrentQueue<string>();
        var snapshot = await _runtime.SnapshotAsync(default);
        // It starts between the list and the watching, where a gap could be.
        var id = await docker.RunContainerAsync("changing");
        var watching = _runtime.WatchAsync(snapshot.Mark, container => changed.Enqueue(container.Value), _ended.Token);
        await Eventually.TrueAsync(() => changed.Contains(id), "the start is told");
        Assert.Equal("changing", (await InspectAsync(id))!.Name);

        changed.Clear();
        await docker.DockerAsync("rename", "changing", "changed");
        await Eventually.TrueAsync(() => changed.Contains(id), "the new name is told");
        Assert.Equal("changed", (await InspectAsync(id))!.Name);

        changed.Clear();
        await docker.DockerAsync("kill", "changed");
        await Eventually.TrueAsync(() => changed.Contains(id), "the end is told");
        Assert.Null(await InspectAsync(id));
        Assert.False(watching.IsCompleted);
    }

    [Fact]
    public async Task Watching_ends_when_the_daemon_does_and_begins_again_after_it()
    {
        var snapshot = await _runtime.SnapshotAsync(default);
        var watching = _runtime.WatchAsync(snapshot.Mark, _ => { }, _ended.Token);

        await docker.StopDaemonAsync();
        await Eventually.TrueAsync(() => watching.IsCompleted, "the watching ends");
        var error = await Assert.ThrowsAsync<NodeException>(() => _runtime.SnapshotAsync(default));
        Assert.Contains($"Docker does not answer at {docker.Socket}", error.Message);

        await docker.StartDaemonAsync();
        Assert.Equal(snapshot.Version, (await _runtime.SnapshotAsync(default)).Version);
    }

    [Fact]
    public async Task No_daemon_is_told_with_its_socket_and_what_to_do()
    {
        using var absent = new DockerRuntime(DockerSocket.Parse("unix:///nonexistent/docker.sock"), TimeProvider.System);

        var error = await Assert.ThrowsAsync<NodeException>(() => absent.SnapshotAsync(default));

        Assert.Equal(
            "Docker does not answer at unix:///nonexistent/docker.sock (there is no such socket): start it, or name its socket with docker-host.",
            error.Message);
    }

    private Task<Container?> InspectAsync(string id) => _runtime.InspectAsync(new ContainerId(id), default);
}
