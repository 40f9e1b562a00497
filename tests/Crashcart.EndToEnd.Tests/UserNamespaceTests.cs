using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>A tool has no more than its container's user namespace gives.</summary>
public sealed class UserNamespaceTests(RemappedHost host) : HostTest, IClassFixture<RemappedHost>
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Runs_in_a_container_of_a_remapping_daemon(bool readOnly)
    {
        await using var box = await host.Docker.RunScratch(readOnly ? ["--read-only"] : []);
        var dev = box.Dev();
        Assert.Equal("0", await host.Exec(box, "id", "-u").Output());
        Assert.Equal(dev, box.Dev());
    }

    [Fact]
    public async Task Is_root_of_the_containers_user_namespace_only()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var running = host.Exec(box, "sleep", "86395").Start();
        var tool = await HostProcess.Appears("sleep 86395");
        Assert.Equal(new FileInfo($"/proc/{box.Pid}/ns/user").LinkTarget, new FileInfo($"/proc/{tool}/ns/user").LinkTarget);
        Assert.Contains(
            $"Uid:\t{DockerDaemon.RemappedId}\t{DockerDaemon.RemappedId}\t{DockerDaemon.RemappedId}\t{DockerDaemon.RemappedId}",
            File.ReadAllLines($"/proc/{tool}/status"));
        running.Signal(15);
        (await running.Result()).Exited(143);
    }

    [Fact]
    public async Task Mounts_shared_with_the_containers_own_ids_and_takes_it_away_again()
    {
        await using var box = await host.Docker.RunBusybox();
        var (mounts, dev) = (box.Mounts(), box.Dev());
        (await host.Crashcart("mount", box.PidText).Run()).Succeeded();
        Assert.Contains("tcpdump version", await box.Exec("/dev/crashcart/bin/tcpdump", "--version").Output(), StringComparison.Ordinal);
        (await host.Crashcart("unmount", box.PidText).Run()).Succeeded();
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
    }

    [Theory]
    [InlineData("--map-root-user", "0")]
    [InlineData("--map-current-user", "65534")]
    public async Task Runs_in_namespaces_that_an_ordinary_user_made(string map, string user)
    {
        await using var container = new Command("setpriv",
            "--reuid=65534", "--regid=65534", "--clear-groups",
            "unshare", "--user", map, "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "86394").Start();
        var pid = $"{await HostProcess.Appears("sleep 86394")}";
        var tool = await host.Crashcart("exec", "-u", user, pid, "--", "bash", "-c", "echo $(id -u) $(readlink /proc/self/ns/user)").Output();
        Assert.Equal($"{user} {new FileInfo($"/proc/{pid}/ns/user").LinkTarget}", tool);
        container.Signal(9);
        await HostProcess.Disappears("sleep 86394");
    }
}
