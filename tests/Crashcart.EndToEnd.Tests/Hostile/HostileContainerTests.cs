using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests.Hostile;

/// <summary>
/// Containers of a real Docker that are full, frozen, confined or up to something. What needs no Docker is in the tests of
/// Crashcart.Native.
/// </summary>
[Collection(OnLocalHost.Name)]
public sealed class HostileContainerTests(LocalHost host) : HostTest
{
    [Fact]
    public async Task No_tool_opens_a_disk_of_the_host_by_a_node_that_the_container_made()
    {
        await using var box = await host.Docker.RunBusybox();
        var number = (await File.ReadAllTextAsync(Directory.GetDirectories("/sys/block")[0] + "/dev")).Trim().Split(':');
        await box.Exec("mknod", "/disk", "b", number[0], number[1]).Output();
        (await box.Exec("head", "-c", "1", "/disk").Run()).Exited(1);
        var result = await host.Exec(box, "head", "-c", "1", "/disk").Run();
        result.Exited(1);
        Assert.Contains("Operation not permitted", result.Error, StringComparison.Ordinal);
        Assert.Equal("1", await host.Exec(box, "bash", "-c", "head -c 1 /dev/zero | wc -c").Output());
    }

    [Fact]
    public async Task No_tool_opens_a_file_of_the_host_by_its_handle()
    {
        await using var box = await host.Docker.RunBusybox();
        Assert.Contains("Seccomp:\t2", await host.Exec(box, "cat", "/proc/self/status").Output(), StringComparison.Ordinal);
        Assert.Contains("Seccomp:\t0", await host.Crashcart("exec", "--profile", "privileged", box.PidText, "cat", "/proc/self/status").Output(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restricted_tool_makes_no_call_that_its_container_may_not_make()
    {
        await using var box = await host.Docker.RunBusybox();
        var refused = await host.Crashcart("exec", "--profile", "restricted", box.PidText, "unshare", "--user", "true").Run();
        refused.Exited(1);
        Assert.Contains("Operation not permitted", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Container_that_has_all_the_processes_and_memory_it_may_have()
    {
        await using var box = await host.Docker.RunBusybox("--memory", "8m", "--tmpfs", "/fill");
        await box.Exec("dd", "if=/dev/zero", "of=/fill/fill", "bs=1M", "count=7").Run();
        Assert.Equal("20000000", await host.Exec(box, "bash", "-c", "x=$(head -c 20000000 /dev/zero | tr '\\0' x); echo ${#x}").Output());
        await using var full = await host.Docker.RunBusybox("--pids-limit", "1");
        Assert.NotEqual(0, (await full.Exec("sh", "-c", "(echo 4); exit").Run()).ExitCode);
        Assert.Equal("5", await host.Exec(full, "bash", "-c", "(echo 5)").Output());
    }

    [Fact]
    public async Task Container_whose_system_call_filter_kills_what_enters_and_mounts()
    {
        await using var directory = TemporaryDirectory.Create();
        const string Calls = "\"setns\",\"unshare\",\"move_mount\",\"open_tree\",\"fsopen\",\"fsmount\",\"mount_setattr\",\"openat2\",\"pidfd_open\",\"clone3\"";
        await File.WriteAllTextAsync(directory["seccomp.json"],
            $$"""{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[{{Calls}}],"action":"SCMP_ACT_KILL_PROCESS"}]}""");
        await using var box = await host.Docker.RunBusybox(
            "--security-opt", $"seccomp={directory["seccomp.json"]}", "--security-opt", "no-new-privileges", "--cap-drop", "ALL");
        Assert.Equal("0", await host.Exec(box, "id", "-u").Output());
        (await host.Crashcart("mount", box.Name).Run()).Succeeded();
        (await host.Crashcart("unmount", box.Name).Run()).Succeeded();
    }

    [Fact]
    public async Task Container_that_is_paused_before_and_during_a_session()
    {
        await using var box = await host.Docker.RunBusybox();
        await box.Docker("pause");
        (await host.Exec(box, "bash", "-c", "setsid sleep 86381 & disown; trap '' TERM; exit 7").Run()).Exited(7);
        await HostProcess.Disappears("sleep 86381");
        await box.Docker("unpause");

        await using var running = host.Exec(box, "bash", "-c", "echo ready; exec sleep 86382").Start();
        await running.Says("ready");
        await box.Docker("pause");
        running.Signal(LibC.SIGTERM);
        (await running.Result()).Exited(143);
        await box.Docker("unpause");
        Assert.Single(await box.Processes());
    }

    [Fact]
    public async Task Container_that_ended_and_whose_process_id_is_another_containers()
    {
        await using var wanted = await host.Docker.RunBusybox();
        await using var other = await host.Docker.RunBusybox();
        await using var docker = new StaleDocker(wanted, other.Pid);
        var mounts = other.Mounts();
        foreach (var command in (string[][])[["exec", wanted.Name, "touch", "/entered"], ["exec", "--shared", wanted.Name, "true"], ["mount", wanted.Name], ["unmount", wanted.Name]])
        {
            var crashcart = host.Crashcart(command);
            var stale = crashcart with { Environment = new Dictionary<string, string?>(crashcart.Environment) { ["DOCKER_HOST"] = docker.Host } };
            (await stale.Run()).Refused(125, "no longer of container", wanted.Id);
        }
        Assert.False(File.Exists($"{other.Root}/entered"));
        Assert.Equal(mounts, other.Mounts());
    }

    [Fact]
    public async Task Process_names_with_escapes_reach_no_terminal()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart("mount", box.Name).Run()).Succeeded();
        const string Holder = "name=busybox$(printf '\\033[2J'); cp /bin/busybox /bin/$name; cd /dev/crashcart; exec /bin/$name sleep 86383";
        await using var holder = box.Exec("sh", "-c", Holder).Start();
        await Eventually.Holds(() => Directory.GetDirectories("/proc").Any(IsHolder), "the mount is held");
        var refused = await host.Crashcart("unmount", box.Name).Run();
        refused.Refused(125, "[2J");
        Assert.DoesNotContain('\e', refused.Error);
        (await host.Crashcart("unmount", "--force", box.Name).Run()).Succeeded();

        static bool IsHolder(string process)
        {
            try
            {
                return File.ReadAllText($"{process}/comm") == "busybox\e[2J\n";
            }
            catch (IOException)
            {
                return false;
            }
        }
    }
}
