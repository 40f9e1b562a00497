using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Tools run in every kind of container, and neither it nor the host shows a trace afterwards.</summary>
[Collection(OnLocalHost.Name)]
public sealed class ContainerKindTests(LocalHost host) : HostTest
{
    [Fact]
    public async Task Busybox()
    {
        await using var box = await host.Docker.RunBusybox();
        await RunsWithoutTrace(box);
    }

    [Fact]
    public async Task From_scratch_with_one_static_binary()
    {
        await using var box = await host.Docker.RunScratch();
        await RunsWithoutTrace(box);
    }

    [Fact]
    public async Task Read_only()
    {
        await using var box = await host.Docker.RunScratch("--read-only");
        await RunsWithoutTrace(box);
    }

    [Fact]
    public async Task Network_of_the_host()
    {
        await using var box = await host.Docker.RunBusybox("--network", "host");
        await RunsWithoutTrace(box);
    }

    [Fact]
    public async Task No_network()
    {
        await using var box = await host.Docker.RunScratch("--network", "none");
        var captured = await host.Exec(box, "tcpdump", "-c", "3", "-ni", "any").Run();
        captured.Succeeded();
        Assert.Equal(3, captured.Lines.Length);
        Assert.All(captured.Lines, line => Assert.Contains("127.0.0.1", line, StringComparison.Ordinal));
        await RunsWithoutTrace(box);
    }

    [Fact]
    public async Task User_that_is_not_root()
    {
        await using var box = await host.Docker.RunBusybox("--user", "1000:1000", "--cap-drop", "ALL");
        await RunsWithoutTrace(box);
        Assert.Equal("0", await host.Exec(box, "id", "-u").Output());
        Assert.Equal("1000", await host.Crashcart("exec", "-u", "app", box.PidText, "id", "-u").Output());
    }

    [Fact]
    public async Task Process_id_namespace_of_another_container()
    {
        await using var first = await host.Docker.RunBusybox();
        await using var second = await host.Docker.RunBusybox("--pid", $"container:{first.Id}");
        await RunsWithoutTrace(second);
    }

    [Fact]
    public async Task Paused()
    {
        await using var box = await host.Docker.RunBusybox();
        await box.Docker("pause");
        Assert.Equal(box.Id[..12], await host.Exec(box, "hostname").Output());
        Assert.NotEqual(0, (await box.Exec("true").Run()).ExitCode);
        await box.Docker("unpause");
        await RunsWithoutTrace(box);
    }

    [Fact]
    public async Task Exits_during_a_session()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var running = host.Exec(box, "bash", "-c", "echo ready; sleep 86397").Start();
        await running.Says("ready");
        await box.Docker("kill");
        (await running.Result()).Exited(137);
        await HostProcess.Disappears("sleep 86397");
    }

    [Fact]
    public async Task Restarts_during_a_session()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var running = host.Exec(box, "bash", "-c", "echo ready; sleep 86396").Start();
        await running.Says("ready");
        await box.Docker("restart", "-t", "0");
        (await running.Result()).Exited(137);
        await RunsWithoutTrace(box);
    }

    /// <summary>The container's mounts, /dev and processes are the same before, and after; the test's own end looks at the host.</summary>
    private async Task RunsWithoutTrace(Container box)
    {
        var (mounts, dev, processes) = (box.Mounts(), box.Dev(), await box.Processes());
        var version = await host.Crashcart(box.PidText, "/dev/crashcart/bin/tcpdump", "--version").Run();
        version.Succeeded();
        Assert.Contains("tcpdump version", version.Output + version.Error, StringComparison.Ordinal);
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
        Assert.Equal(processes, await box.Processes());
        Assert.Empty(HostState.LoopDevicesOf(host.Image));
    }
}
