using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary><c>crashcart [-i IMAGE] [-m|-u|-e] [-v] ID [--] [CMD…]</c>, as the original had it.</summary>
[Collection(OnLocalHost.Name)]
public sealed class OriginalGrammarTests(LocalHost host) : HostTest
{
    [Fact]
    public async Task Runs_a_command_by_process_id_id_prefix_and_name()
    {
        await using var box = await host.Docker.RunBusybox();
        foreach (var id in (string[])[box.PidText, box.Id, box.Id[..12], box.Name])
            Assert.Equal(box.Id[..12], await host.Crashcart(id, "hostname").Output());
    }

    [Fact]
    public async Task Leaves_the_tools_own_flags_alone()
    {
        await using var box = await host.Docker.RunBusybox();
        Assert.Equal("-u -m -e -v -i --help", await host.Crashcart(box.PidText, "echo", "-u", "-m", "-e", "-v", "-i", "--help").Output());
        Assert.Equal("-u -- x", await host.Crashcart(box.PidText, "--", "echo", "-u", "--", "x").Output());
    }

    [Fact]
    public async Task Takes_another_image()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var small = await SmallImage.Make("other");
        Assert.Equal("other", await host.Crashcart("-i", small.Path, box.PidText, "/dev/crashcart/bin/cat", "/dev/crashcart/name").Output());
    }

    [Fact]
    public async Task Reads_commands_from_its_input_when_there_is_none()
    {
        await using var box = await host.Docker.RunBusybox();
        var result = await host.Crashcart(box.PidText).Run("echo $BASH; hostname\n");
        result.Succeeded();
        Assert.Equal($"/dev/crashcart/bin/bash\n{box.Id[..12]}\n", result.Output);
    }

    [Fact]
    public async Task Mounts_and_unmounts()
    {
        await using var box = await host.Docker.RunBusybox();
        var (mounts, dev) = (box.Mounts(), box.Dev());
        (await host.Crashcart("-m", box.Name).Run()).Succeeded();
        Assert.Contains("tcpdump version", await box.Exec("/dev/crashcart/bin/tcpdump", "--version").Output(), StringComparison.Ordinal);
        (await host.Crashcart("-u", box.Name).Run()).Succeeded();
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
    }

    [Fact]
    public async Task Runs_through_docker_exec_with_the_containers_own_limits()
    {
        await using var box = await host.Docker.RunBusybox();
        var (mounts, dev) = (box.Mounts(), box.Dev());
        var cgroup = await host.Crashcart("-e", box.Name, "cat", "/proc/self/cgroup").Output();
        Assert.Equal(await box.Exec("cat", "/proc/self/cgroup").Output(), cgroup);
        (await host.Crashcart("-e", box.Name, "bash", "-c", "exit 42").Run()).Exited(42);
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
    }

    [Fact]
    public async Task Says_more_with_v()
    {
        await using var box = await host.Docker.RunBusybox();
        var result = await host.Crashcart("-v", box.PidText, "echo", "hello").Run();
        result.Succeeded();
        Assert.Equal("hello\n", result.Output);
        Assert.Contains("/dev/loop", result.Error, StringComparison.Ordinal);
    }
}
