using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary><c>crashcart mount</c>, <c>unmount</c> and <c>exec --shared</c>.</summary>
[Collection(OnLocalHost.Name)]
public sealed class SharedMountTests(LocalHost host) : HostTest
{
    [Theory]
    [InlineData()]
    [InlineData("--read-only")]
    [InlineData("--user", "1000", "--cap-drop", "ALL")]
    public async Task Is_seen_by_everything_in_the_container_until_it_is_unmounted(params string[] options)
    {
        await using var box = await host.Docker.RunBusybox(options);
        var (mounts, dev) = (box.Mounts(), box.Dev());

        (await host.Crashcart("mount", box.Name).Run()).Succeeded();
        Assert.Contains("tcpdump version", await box.Exec("/dev/crashcart/bin/tcpdump", "--version").Output(), StringComparison.Ordinal);
        Assert.Single(HostState.LoopDevicesOf(host.Image));
        var mount = Assert.Single(box.Mounts().Except(mounts));
        Assert.Contains(" /dev/crashcart ro,nosuid,nodev", mount, StringComparison.Ordinal);

        (await host.Crashcart("unmount", box.Name).Run()).Succeeded();
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
        Assert.Empty(HostState.LoopDevicesOf(host.Image));
    }

    [Fact]
    public async Task Is_mounted_once_however_often_it_is_asked_for()
    {
        await using var box = await host.Docker.RunBusybox();
        for (var round = 0; round < 3; round++)
            (await host.Crashcart("mount", box.Name).Run()).Succeeded();
        Assert.Single(box.Mounts(), line => line.Contains("/dev/crashcart", StringComparison.Ordinal));
        (await host.Crashcart("unmount", box.Name).Run()).Succeeded();
        Assert.DoesNotContain(box.Mounts(), line => line.Contains("/dev/crashcart", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Shares_one_loop_device_among_containers()
    {
        await using var first = await host.Docker.RunBusybox();
        await using var second = await host.Docker.RunScratch();
        (await host.Crashcart("mount", first.Name).Run()).Succeeded();
        (await host.Crashcart("mount", second.Name).Run()).Succeeded();
        Assert.Single(HostState.LoopDevicesOf(host.Image));
        (await host.Crashcart("unmount", first.Name).Run()).Succeeded();
        Assert.Single(HostState.LoopDevicesOf(host.Image));
        (await host.Crashcart("unmount", second.Name).Run()).Succeeded();
        Assert.Empty(HostState.LoopDevicesOf(host.Image));
    }

    [Fact]
    public async Task Unmount_names_what_holds_the_mount_and_forced_takes_it_away()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart("mount", box.Name).Run()).Succeeded();
        await using var holder = box.Exec("sh", "-c", "cd /dev/crashcart && exec sleep 86392").Start();
        var pid = await HostProcess.Appears("sleep 86392");
        (await host.Crashcart("unmount", box.Name).Run()).Refused(125, $"{pid}", "--force");
        (await host.Crashcart("unmount", "--force", box.Name).Run()).Succeeded();
        Assert.DoesNotContain(box.Mounts(), line => line.Contains("/dev/crashcart", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_second_image_has_a_place_beside_the_toolbox()
    {
        await using var image = await SmallImage.Make("second");
        await using var box = await host.Docker.RunBusybox("--read-only");
        var (mounts, dev) = (box.Mounts(), box.Dev());
        (await host.Crashcart("mount", box.Name).Run()).Succeeded();

        (await host.Crashcart("mount", "--at", "/dev/crashcart-small", "-i", image.Path, box.Name).Run()).Succeeded();

        Assert.Equal("second", await box.Exec("/dev/crashcart-small/bin/cat", "/dev/crashcart-small/name").Output());
        Assert.Equal("second", await host.Exec(box, "bash", "-c", "cat /dev/crashcart-small/name").Output());
        Assert.Contains("tcpdump version", await box.Exec("/dev/crashcart/bin/tcpdump", "--version").Output(), StringComparison.Ordinal);
        (await host.Crashcart("unmount", box.Name).Run()).Succeeded();
        Assert.Equal("second", await box.Exec("cat", "/dev/crashcart-small/name").Output());
        (await host.Crashcart("unmount", "--at", "/dev/crashcart-small", box.Name).Run()).Succeeded();
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
        Assert.Empty(HostState.LoopDevicesOf(image.Path));
    }

    [Fact]
    public async Task A_toolbox_is_refused_where_its_programs_would_not_start()
    {
        await using var box = await host.Docker.RunBusybox();
        var mounts = box.Mounts();
        (await host.Crashcart("mount", "--at", "/dev/crashcart-tools", box.Name).Run()).Refused(125, "are built for /dev/crashcart", "without --at");
        Assert.Equal(mounts, box.Mounts());
    }

    [Fact]
    public async Task Unmount_of_nothing_is_no_error()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart("unmount", box.Name).Run()).Succeeded();
    }

    [Fact]
    public async Task Unmount_leaves_a_mount_that_is_not_ours()
    {
        await using var box = await host.Docker.RunBusybox("--tmpfs", "/dev/crashcart");
        var mounts = box.Mounts();
        await host.Crashcart("unmount", box.Name).Run();
        (await host.Crashcart("mount", box.Name).Run()).Refused(125, "/dev/crashcart");
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal("0", await host.Exec(box, "id", "-u").Output());
        Assert.Equal(mounts, box.Mounts());
    }

    [Fact]
    public async Task Session_with_a_shared_mount_takes_it_away_when_it_made_it()
    {
        await using var box = await host.Docker.RunBusybox();
        var mounts = box.Mounts();
        await using var running = host.Crashcart("exec", "--shared", box.Name, "--", "bash", "-c", "echo ready; read").Start();
        await running.Says("ready");
        Assert.Contains("tcpdump version", await box.Exec("/dev/crashcart/bin/tcpdump", "--version").Output(), StringComparison.Ordinal);
        running.CloseInput();
        (await running.Result()).Exited(1);
        Assert.Equal(mounts, box.Mounts());
    }

    [Fact]
    public async Task Session_with_a_shared_mount_leaves_one_that_was_there()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart("mount", box.Name).Run()).Succeeded();
        var mounts = box.Mounts();
        (await host.Crashcart("exec", "--shared", box.Name, "true").Run()).Succeeded();
        (await host.Crashcart("exec", box.Name, "true").Run()).Succeeded();
        Assert.Equal(mounts, box.Mounts());
        (await host.Crashcart("unmount", box.Name).Run()).Succeeded();
    }

    [Fact]
    public async Task Killing_the_containers_frees_the_loop_device_within_a_second()
    {
        var first = await host.Docker.RunBusybox();
        var second = await host.Docker.RunScratch();
        (await host.Crashcart("mount", first.Name).Run()).Succeeded();
        (await host.Crashcart("mount", second.Name).Run()).Succeeded();
        Assert.Single(HostState.LoopDevicesOf(host.Image));
        await first.Docker("kill");
        Assert.Single(HostState.LoopDevicesOf(host.Image));
        await second.Docker("kill");
        await Eventually.Holds(() => !HostState.LoopDevicesOf(host.Image).Any(), "the loop device is free", TimeSpan.FromSeconds(1));
        await first.DisposeAsync();
        await second.DisposeAsync();
    }
}
