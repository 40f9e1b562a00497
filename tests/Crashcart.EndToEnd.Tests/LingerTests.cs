using System.Text.Json;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>A node keeps the image attached for the next session, as long as somebody could want it.</summary>
public sealed class LingerTests(LingeringHost fleet) : IClassFixture<LingeringHost>, IAsyncLifetime
{
    private FleetNode Node => fleet.Nodes[0];

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => (await fleet.Crashcart("uncordon", Node.Name).Run()).Succeeded();

    [Fact]
    public async Task Loop_device_stays_for_the_next_session_and_is_shown_as_unused()
    {
        await using var box = await Used();
        var device = Assert.Single(HostState.LoopDevicesOf(fleet.Image));

        await fleet.Lists(fleet.Crashcart("nodes", "-o", "json"), nodes => Images(nodes[0]).Any(image => Text(image, "loopDevice") == device && image.GetProperty("users").GetArrayLength() == 0));
        Assert.Contains($"{device} (unused)", await fleet.Crashcart("nodes", "-o", "wide").Output(), StringComparison.Ordinal);
        Assert.Equal("[]", await fleet.Crashcart("mounts", "-l", "app=linger", "-o", "json").Output());
        Assert.Equal("[]", await fleet.Crashcart("sessions", "-o", "json").Output());
        await Run(box);

        Assert.Equal(device, Assert.Single(HostState.LoopDevicesOf(fleet.Image)));
    }

    [Fact]
    public async Task Loop_device_is_free_within_a_second_of_the_end_of_the_last_container_that_used_it()
    {
        await using var first = await Used();
        await using var second = await Used();
        await using var running = fleet.Crashcart("exec", $"alpha/{second.Name}", "sleep", "86367").Start();
        await HostProcess.Appears("sleep 86367");
        await using var other = await Box();

        await first.Docker("kill");
        await fleet.Lists(fleet.Crashcart("ps", "-o", "json"), listed => listed.All(one => Text(one, "id") != first.Id));
        Assert.Single(HostState.LoopDevicesOf(fleet.Image));

        await second.Docker("kill");

        await IsFree();
        await running.Result();
    }

    [Fact]
    public async Task Killed_node_frees_the_loop_device_that_it_kept()
    {
        await using var box = await Used();

        await Node.Daemon.Kill();

        await IsFree();
        Node.Daemon.Start();
        await fleet.IsWhole();
    }

    [Fact]
    public async Task Stopped_node_frees_the_loop_device_that_it_kept()
    {
        await using var box = await Used();

        await Node.Daemon.Stop();

        Assert.Empty(HostState.LoopDevicesOf(fleet.Image));
        Node.Daemon.Start();
        await fleet.IsWhole();
    }

    [Fact]
    public async Task Drained_node_frees_the_loop_device_takes_no_mounts_and_says_so_to_those_whose_sessions_end()
    {
        await using var box = await Used();
        await using var run = fleet.Crashcart("exec", $"alpha/{box.Name}", "sleep", "86364").Start();
        await HostProcess.Appears("sleep 86364");

        (await fleet.Crashcart("drain", Node.Name).Run()).Succeeded();

        var result = await run.Result();
        Assert.Contains("The session was ended: Node alpha is being drained.", result.Error, StringComparison.Ordinal);
        await IsFree();
        (await fleet.Crashcart("mount", $"alpha/{box.Name}").Run()).Refused(125, "Node alpha is cordoned and takes no mounts", "crashcart uncordon alpha");
    }

    [Fact]
    public async Task Killed_session_tells_its_client_who_killed_it()
    {
        await using var box = await Box();
        await using var one = fleet.Crashcart("exec", $"alpha/{box.Name}", "sleep", "86365").Start();
        await using var many = fleet.Crashcart("fleet", "exec", "-l", "app=linger", "sleep", "86366").Start();
        await HostProcess.Appears("sleep 86365");
        await HostProcess.Appears("sleep 86366");
        var sessions = FleetHost.Json(await fleet.Crashcart("sessions", "-o", "json").Run());

        foreach (var session in sessions)
            (await fleet.Crashcart("kill", Text(session, "session")).Run()).Succeeded();

        Assert.Contains("The session was ended: It was killed by user", (await one.Result()).Error, StringComparison.Ordinal);
        Assert.Contains("It was killed by user", (await many.Result()).Error, StringComparison.Ordinal);
    }

    private async Task<Container> Box()
    {
        var box = await Node.Docker.RunBusybox("--label", "app=linger");
        await fleet.Lists(fleet.Crashcart("ps", "--output", "json"), listed => listed.Any(one => Text(one, "id") == box.Id));
        return box;
    }

    /// <summary>A container in which a tool has run.</summary>
    private async Task<Container> Used()
    {
        var box = await Box();
        await Run(box);
        return box;
    }

    private async Task Run(Container box) => (await fleet.Crashcart("exec", $"alpha/{box.Name}", "true").Run()).Succeeded();

    private Task IsFree() => Eventually.Holds(() => !HostState.LoopDevicesOf(fleet.Image).Any(), "the loop device is free", TimeSpan.FromSeconds(1));

    private static JsonElement[] Images(JsonElement node) => [.. node.GetProperty("images").EnumerateArray()];

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString()!;
}

/// <summary>A fleet of one node that keeps images attached for longer than any test takes.</summary>
public sealed class LingeringHost() : FleetHost(["alpha"], coordinators: 1, linger: 3600);
