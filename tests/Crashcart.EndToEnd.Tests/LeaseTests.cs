using System.Text.Json;
using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>What is held through a node, by people and by sessions, and when it ends.</summary>
public sealed class LeaseTests(OneNodeHost fleet) : IClassFixture<OneNodeHost>
{
    /// <summary>Of the kernel, from the end of a container to a free loop device.</summary>
    private static readonly TimeSpan Kernel = TimeSpan.FromSeconds(1);

    private FleetNode Node => fleet.Nodes[0];

    [Fact]
    public async Task Killed_node_takes_up_what_people_hold_and_releases_what_its_sessions_left()
    {
        await using var held = await Box("recover");
        await using var used = await Box("recover");
        var lease = await Mount(held);
        await using var run = fleet.Crashcart("exec", "--shared", $"alpha/{used.Name}", "sleep", "86361").Start();
        await HostProcess.Appears("sleep 86361");
        Assert.Equal(2, (await Mounts("recover")).Length);

        await Node.Daemon.Kill();
        await HostProcess.Disappears("sleep 86361");
        Assert.Contains(used.Mounts(), IsOurs);
        Node.Daemon.Start();
        await fleet.IsWhole();

        await fleet.Lists(Listing("recover"), mounts => mounts.Length == 1 && Text(mounts[0], "lease") == lease);
        Assert.DoesNotContain(used.Mounts(), IsOurs);
        Assert.Contains($"Released the mount in container {used.Id}", Node.Daemon.Log, StringComparison.Ordinal);
        await fleet.Lists(fleet.Crashcart("nodes", "-o", "json"), nodes => nodes[0].GetProperty("reclaimed").GetInt32() >= 1);
        (await fleet.Crashcart("unmount", $"alpha/{held.Name}").Run()).Succeeded();
        await Eventually.Holds(() => !HostState.LoopDevicesOf(fleet.Image).Any(), "the loop device is free", Kernel);
    }

    [Fact]
    public async Task Unmount_says_who_uses_the_mount_and_takes_it_away_by_force()
    {
        await using var box = await Box("busy");
        (await fleet.Crashcart("fleet", "mount", "-l", "app=busy").Run()).Succeeded();
        await using var holder = box.Exec("sh", "-c", "cd /dev/crashcart && exec sleep 86362").Start();
        var pid = await HostProcess.Appears("sleep 86362");

        (await fleet.Crashcart("fleet", "unmount", "-l", "app=busy").Run()).Refused(125, $"{pid} (sleep)", "--force");
        var unmounted = await fleet.Crashcart("fleet", "unmount", "--force", "-l", "app=busy").Run();

        unmounted.Succeeded();
        Assert.Equal($"alpha/{box.Name}: unmounted\n", unmounted.Output);
        Assert.DoesNotContain(box.Mounts(), IsOurs);
    }

    [Fact]
    public async Task Second_image_has_a_lease_of_its_own_which_outlives_the_node()
    {
        await using var image = await SmallImage.Make("second");
        await using var box = await Box("second");
        await fleet.Crashcart("image", "push", image.Path, "second").Output();
        await Mount(box);
        (await fleet.Crashcart("mount", "--at", "/dev/crashcart-small", "-i", "second", $"alpha/{box.Name}").Run()).Succeeded();
        var leases = (await Mounts("second")).Select(mount => (Text(mount, "path"), Text(mount, "lease"))).Order().ToArray();
        Assert.Equal(["/dev/crashcart", "/dev/crashcart-small"], leases.Select(lease => lease.Item1));

        await Node.Daemon.Kill();
        Node.Daemon.Start();
        await fleet.IsWhole();

        await fleet.Lists(Listing("second"), mounts => leases.SequenceEqual(mounts.Select(mount => (Text(mount, "path"), Text(mount, "lease"))).Order()));
        (await fleet.Crashcart("mount", "--at", "/dev/crashcart-small", $"alpha/{box.Name}").Run()).Refused(125, "are built for /dev/crashcart");
        (await fleet.Crashcart("fleet", "unmount", "-l", "app=second").Run()).Succeeded();
        Assert.Equal(leases[1].Item2, Text(Assert.Single(await Mounts("second")), "lease"));
        Assert.Equal("second", await box.Exec("/dev/crashcart-small/bin/cat", "/dev/crashcart-small/name").Output());
        (await fleet.Crashcart("unmount", "--at", "/dev/crashcart-small", $"alpha/{box.Name}").Run()).Succeeded();
        Assert.DoesNotContain(box.Mounts(), mount => mount.Contains("/dev/crashcart", StringComparison.Ordinal));
        (await fleet.Crashcart("image", "rm", "second").Run()).Succeeded();
    }

    [Fact]
    public async Task Mount_of_the_command_line_is_listed_and_one_of_the_node_can_be_taken_away_on_the_host()
    {
        await using var box = await Box("both");
        (await fleet.Crashcart("mount", box.PidText).Run()).Succeeded();
        Assert.Equal("on the host", Assert.Single(await Mounts("both")).GetProperty("holders")[0].GetString());
        (await fleet.Crashcart("unmount", $"alpha/{box.Name}").Run()).Succeeded();

        await Mount(box);
        (await fleet.Crashcart("unmount", box.PidText).Run()).Succeeded();

        Assert.Empty(await Mounts("both"));
    }

    [Fact]
    public async Task Session_is_listed_and_killed_from_elsewhere()
    {
        await using var box = await Box("kill");
        await using var run = fleet.Crashcart("exec", $"alpha/{box.Name}", "sleep", "86363").Start();
        await HostProcess.Appears("sleep 86363");

        var session = Assert.Single(FleetHost.Json(await fleet.Crashcart("sessions", "-l", "app=kill", "-o", "json").Run()));
        Assert.Equal(("alpha", box.Name, "sleep"), (Text(session, "node"), Text(session, "container"), Text(session, "tool")));
        (await fleet.Crashcart("kill", Text(session, "session")).Run()).Succeeded();

        (await run.Result()).Exited(128 + LibC.SIGHUP);
        (await fleet.Crashcart("kill", Text(session, "session")).Run()).Refused(3, "There is no session or run");
    }

    [Theory]
    [InlineData("kill")]
    [InlineData("stop", "-t", "0")]
    [InlineData("restart", "-t", "0")]
    [InlineData("rm", "-f")]
    public async Task Loop_device_is_free_within_a_second_of_the_last_containers_end(params string[] verb)
    {
        await using var box = await Box("exit");
        await Mount(box);

        await Node.Docker.Docker([.. verb, box.Id]).Output();

        await IsFree("exit");
    }

    [Fact]
    public async Task Paused_container_keeps_its_mount_until_it_is_killed()
    {
        await using var box = await Box("pause");
        await Mount(box);
        await box.Docker("pause");
        Assert.Single(await Mounts("pause"));

        await box.Docker("kill");

        await IsFree("pause");
    }

    [Fact]
    public async Task Container_that_runs_out_of_memory_frees_the_loop_device()
    {
        await using var box = await Node.Docker.Run(
            TestImages.Busybox,
            ["--memory", "32m", "--memory-swap", "32m", "--label", "app=oom"],
            ["sh", "-c", "while [ ! -e /go ]; do sleep 0.1; done; exec tail /dev/zero"]);
        await fleet.Sees(1, "app=oom");
        await Mount(box);

        await box.Exec("touch", "/go").Run();

        await Eventually.Holds(() => !HostProcess.Exists(box.Pid), "the container is killed by the kernel");
        await IsFree("oom");
    }

    [Fact]
    public async Task Container_that_ends_while_docker_is_away_frees_the_loop_device_and_its_lease()
    {
        await using var box = await Box("away");
        await Mount(box);
        await Node.Docker.StopDaemon();
        try
        {
            Assert.True(HostProcess.Exists(box.Pid), "With live-restore a container outlives its daemon.");
            Assert.Single(HostState.LoopDevicesOf(fleet.Image));
            await new Command("kill", "-9", box.PidText).Output();
            await IsFree("away");
        }
        finally
        {
            await Node.Docker.StartDaemon();
        }

        await fleet.Sees(0, "app=away");
    }

    private async Task<Container> Box(string label)
    {
        var box = await Node.Docker.RunBusybox("--label", $"app={label}");
        await fleet.Lists(
            fleet.Crashcart("ps", "--label", $"app={label}", "--output", "json"), listed => listed.Any(one => Text(one, "id") == box.Id));
        return box;
    }

    /// <returns>The lease's id.</returns>
    private async Task<string> Mount(Container box)
    {
        (await fleet.Crashcart("mount", $"alpha/{box.Name}").Run()).Succeeded();
        Assert.Contains(box.Mounts(), IsOurs);
        return Text((await Mounts("")).Single(mount => Text(mount, "containerId") == box.Id), "lease");
    }

    private Command Listing(string label) =>
        fleet.Crashcart(["mounts", .. label.Length > 0 ? (string[])["--label", $"app={label}"] : [], "--output", "json"]);

    private async Task<JsonElement[]> Mounts(string label)
    {
        var listing = await Listing(label).Run();
        listing.Succeeded();
        return FleetHost.Json(listing);
    }

    private async Task IsFree(string label)
    {
        await Eventually.Holds(() => !HostState.LoopDevicesOf(fleet.Image).Any(), "the loop device is free", Kernel);
        await Eventually.Holds(async () => FleetHost.Json(await Listing(label).Run()).Length == 0, "no lease is left");
    }

    private static bool IsOurs(string mount) => mount.Contains(" /dev/crashcart ", StringComparison.Ordinal);

    private static string Text(JsonElement element, string property) => element.GetProperty(property).GetString()!;
}

/// <summary>A fleet of one node, whose containers outlive their dockerd.</summary>
public sealed class OneNodeHost() : FleetHost(["alpha"], coordinators: 1, docker: () => new LiveRestoringDockerDaemon());
