using System.Globalization;
using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>The defects of the original Crashcart, by number; none of them is present.</summary>
[Collection(OnLocalHost.Name)]
public sealed class OriginalDefectTests(LocalHost host) : HostTest
{
    private const string EvilTool = "#!/bin/sh\necho evil\n";

    [Fact]
    public async Task Defect_01_container_code_never_runs_in_place_of_a_tool()
    {
        await using var box = await host.Docker.RunBusybox();
        await Shell(box, $"mkdir -p /evil/bin && printf '{EvilTool.Replace("\n", "\\n")}' >/evil/bin/id && chmod +x /evil/bin/id && ln -s /evil /dev/crashcart");
        Assert.Equal("0", await host.Crashcart(box.PidText, "/dev/crashcart/bin/id", "-u").Output());
        Assert.Equal("0", await host.Crashcart(box.PidText, "id", "-u").Output());
        (await host.Crashcart("mount", box.PidText).Run()).Refused(125, "/dev/crashcart", "no plain directory");
        (await host.Crashcart("exec", "--shared", box.PidText, "id", "-u").Run()).Refused(125, "/dev/crashcart", "no plain directory");
        Assert.Equal("/evil", await box.Exec("readlink", "/dev/crashcart").Output());
    }

    [Theory]
    [InlineData("mkdir -p /other && rm -rf /dev/crashcart && ln -s ../other /dev/crashcart")]
    [InlineData("ln -s crashcart /dev/crashcart")]
    [InlineData("touch /dev/crashcart")]
    [InlineData("mkfifo /dev/crashcart")]
    public async Task Defect_01_nothing_is_mounted_through_what_the_container_put_there(string trap)
    {
        await using var box = await host.Docker.RunBusybox();
        await Shell(box, trap);
        var (mounts, dev) = (box.Mounts(), box.Dev());
        (await host.Crashcart("mount", box.PidText).Run()).Refused(125, "/dev/crashcart");
        Assert.Equal("0", await host.Exec(box, "id", "-u").Output());
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
    }

    [Fact]
    public async Task Defect_02_a_process_id_that_does_not_exist_never_means_the_host()
    {
        await using var gone = new Command("true").Start();
        await gone.Result();
        await using var directory = TemporaryDirectory.Create();
        foreach (var pid in (string[])["0", $"{gone.Pid}"])
            (await host.Crashcart(pid, "touch", directory["marker"]).Run()).Refused(125, pid);
        Assert.Empty(Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public async Task Defect_03_a_container_that_dies_under_the_tool_leaves_the_hosts_own_mount_alone()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var directory = TemporaryDirectory.Create();
        Directory.CreateDirectory("/dev/crashcart");
        try
        {
            // A host of its own, which has something mounted at /dev/crashcart.
            var exec = host.Crashcart("exec", "--shared", box.PidText, "sleep", "86389");
            await using var running = new Command("unshare", "--mount", "sh", "-c",
                $"mount -t tmpfs none /dev/crashcart && touch /dev/crashcart/kept; {exec.Program} {string.Join(' ', exec.Arguments)}; echo $?; ls /dev/crashcart")
            {
                Environment = exec.Environment,
            }.Start();
            await HostProcess.Appears("sleep 86389");
            await box.Docker("kill");
            var result = await running.Result();
            Assert.Equal(["137", "kept"], result.Lines);
        }
        finally
        {
            Directory.Delete("/dev/crashcart");
        }
    }

    [Theory]
    [InlineData("exec")]
    [InlineData("exec", "--shared")]
    public async Task Defect_04_the_first_of_two_runs_to_end_takes_nothing_from_the_second(params string[] exec)
    {
        await using var box = await host.Docker.RunBusybox();
        await using var second = host.Crashcart([.. exec, box.PidText, "--", "bash", "-c", "echo ready; read; ls /dev/crashcart/bin/tcpdump; exit 5"]).Start();
        await second.Says("ready");
        (await host.Crashcart([.. exec, box.PidText, "--", "bash", "-c", "exit 3"]).Run()).Exited(3);
        await second.Write("\n");
        var result = await second.Result();
        result.Exited(5);
        Assert.Equal("ready\n/dev/crashcart/bin/tcpdump\n", result.Output);
    }

    [Theory]
    [InlineData("exec")]
    [InlineData("exec", "--shared")]
    public async Task Defect_04_two_at_a_time_in_one_container_never_fail(params string[] exec)
    {
        await using var box = await host.Docker.RunBusybox();
        for (var round = 0; round < 30; round++)
        {
            var (first, second) = (Run(3), Run(4));
            (await first).Exited(3);
            (await second).Exited(4);
        }

        Task<CommandResult> Run(int code) =>
            host.Crashcart([.. exec, box.PidText, "--", "bash", "-c", $"exit {code.ToString(CultureInfo.InvariantCulture)}"]).Run();
    }

    [Fact]
    public async Task Defect_05_no_process_is_signalled_after_it_was_reaped()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var directory = TemporaryDirectory.Create();
        foreach (var tool in (string[])["no-such-tool", "/etc/passwd", "true"])
        {
            var exec = host.Exec(box, tool);
            var traced = new Command("strace", "-f", "-o", directory[Path.GetFileName(tool)], "-e", "trace=kill,tkill,tgkill,wait4,waitid,waitpid", exec.Program)
            {
                Environment = exec.Environment,
            };
            await traced.With(exec.Arguments).Run();
            Assert.Empty(SystemCallTrace.SignalsToReapedProcesses(File.ReadLines(directory[Path.GetFileName(tool)])));
        }
    }

    [Fact]
    public async Task Defect_06_parallel_runs_never_lose_a_lock()
    {
        var boxes = new List<Container>();
        for (var index = 0; index < 4; index++)
            boxes.Add(await host.Docker.RunBusybox());
        await Parallel.ForAsync(0, 240, new ParallelOptions { MaxDegreeOfParallelism = 24 }, async (run, _) =>
            (await host.Exec(boxes[run % boxes.Count], "bash", "-c", $"exit {run % 100}").Run()).Exited(run % 100));
        foreach (var box in boxes)
            await box.DisposeAsync();
    }

    [Fact]
    public async Task Defect_07_eight_images_at_once_all_get_a_loop_device()
    {
        await using var box = await host.Docker.RunBusybox();
        var images = await Task.WhenAll(Enumerable.Range(0, 8).Select(index => SmallImage.Make($"image {index}")));
        await Parallel.ForAsync(0, 160, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (run, _) =>
            Assert.Equal($"image {run % 8}", await host.Crashcart(
                "exec", "-i", images[run % 8].Path, box.PidText, "/dev/crashcart/bin/cat", "/dev/crashcart/name").Output()));
        foreach (var image in images)
        {
            await Eventually.Holds(() => !HostState.LoopDevicesOf(image.Path).Any(), $"{image.Path} has no loop device");
            await image.DisposeAsync();
        }
    }

    [Fact]
    public async Task Defect_08_a_second_image_is_neither_ignored_nor_takes_the_first_away()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var other = await SmallImage.Make("other");
        (await host.Crashcart("mount", box.PidText).Run()).Succeeded();
        var mounts = box.Mounts();
        (await host.Crashcart("mount", "-i", other.Path, box.PidText).Run()).Refused(125, host.Image);
        Assert.Equal("other", await host.Crashcart("-i", other.Path, box.PidText, "/dev/crashcart/bin/cat", "/dev/crashcart/name").Output());
        Assert.Equal(mounts, box.Mounts());
        (await host.Crashcart("unmount", box.PidText).Run()).Succeeded();
    }

    [Fact]
    public async Task Defect_09_container_names_and_ids_are_understood()
    {
        await using var box = await host.Docker.RunBusybox();
        foreach (var target in (string[])[box.Name, box.Id, box.Id[..12], box.Id[..20]])
            Assert.Equal(box.Id[..12], await host.Crashcart("exec", target, "hostname").Output());
    }

    [Fact]
    public async Task Defect_10_the_tools_own_flags_reach_it()
    {
        await using var box = await host.Docker.RunBusybox();
        await Shell(box, "mkdir /files && touch /files/only");
        (await host.Crashcart("mount", box.PidText).Run()).Succeeded();
        foreach (var flag in (string[])["-u", "-m", "-i"])
            Assert.Equal("only", (await host.Crashcart(box.PidText, "ls", flag, "/files").Output()).Split(' ')[^1]);
        Assert.Contains(box.Mounts(), line => line.Contains("/dev/crashcart", StringComparison.Ordinal));
        (await host.Crashcart("unmount", box.PidText).Run()).Succeeded();
    }

    [Fact]
    public async Task Defect_11_a_run_by_docker_exec_unmounts()
    {
        await using var box = await host.Docker.RunBusybox();
        var (mounts, dev) = (box.Mounts(), box.Dev());
        await host.Crashcart("-e", box.Name, "id").Output();
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
    }

    [Fact]
    public async Task Defect_12_the_tool_inherits_nothing_of_the_caller()
    {
        await using var box = await host.Docker.RunBusybox("--cap-drop", "ALL");
        var exec = host.Exec(box, "bash", "-c", "env; ls -l /proc/self/fd | tail -n +2; grep Cap /proc/self/status; exec sleep 86388");
        await using var running = new Command("bash", "-c", "exec 7</etc/hostname 8<>/dev/null; exec \"$@\"", "bash", exec.Program)
        {
            Environment = new Dictionary<string, string?>(exec.Environment) { ["CALLERS_SECRET"] = "hunter2" },
        }.With(exec.Arguments).Start();
        var tool = await HostProcess.Appears("sleep 86388");
        Assert.DoesNotContain("hunter2", running.OutputSoFar, StringComparison.Ordinal);
        Assert.DoesNotContain("CRASHCART_IMAGE", running.OutputSoFar, StringComparison.Ordinal);
        Assert.DoesNotContain("/etc/hostname", running.OutputSoFar, StringComparison.Ordinal);
        Assert.Equal(["0", "1", "2"], Directory.GetFiles($"/proc/{tool}/fd").Select(Path.GetFileName).Order());
        Assert.NotEqual(File.ReadAllText("/proc/self/cgroup"), File.ReadAllText($"/proc/{tool}/cgroup"));
        // SYS_ADMIN, SYS_MODULE, SYS_RAWIO and SYS_BOOT are in no profile but the privileged one.
        const ulong HostPowers = 1ul << 21 | 1ul << 16 | 1ul << 17 | 1ul << 22;
        foreach (var line in File.ReadLines($"/proc/{tool}/status").Where(line => line.StartsWith("Cap", StringComparison.Ordinal)))
            Assert.Equal(0ul, Convert.ToUInt64(line.Split('\t')[1], 16) & HostPowers);
        running.Signal(LibC.SIGTERM);
        (await running.Result()).Exited(143);
    }

    [Theory]
    [InlineData("-t")]
    [InlineData("-T")]
    public async Task Defect_13_one_control_C_is_one_interrupt(string terminalOption)
    {
        await using var box = await host.Docker.RunBusybox();
        await using var terminal = await Terminal.Open(host.Crashcart("exec", terminalOption, box.Name, "--", "bash", "-c",
            "trap 'echo interrupt $((++n))' INT; trap 'exit 9' USR1; echo ready; while :; do sleep 0.05; done"));
        await terminal.Shows("ready");
        await terminal.Press("C-c");
        await terminal.Shows("interrupt 1");
        await terminal.Press("C-c");
        await terminal.Shows("interrupt 2");
        Assert.DoesNotContain("interrupt 3", await terminal.Screen(), StringComparison.Ordinal);
        await Shell(box, "kill -USR1 $(pidof bash)");
        Assert.Equal(9, await terminal.Exited());
        Assert.DoesNotContain("interrupt 3", await terminal.Screen(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Defect_14_a_process_in_a_directory_of_ours_does_not_make_unmount_fail()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart("mount", box.PidText).Run()).Succeeded();
        var squatters = new List<RunningCommand>();
        foreach (var directory in (string[])["/run/crashcart", "/var/lib/crashcart", "/run/lock", "/dev", $"/proc/{box.Pid}/root/dev"])
        {
            if (Directory.Exists(directory))
                squatters.Add(new Command("sh", "-c", $"cd {directory} && exec sleep 86387").Start());
        }
        await Eventually.Holds(() => HostProcess.Find("sleep 86387").Length == squatters.Count, "the squatters sit");
        (await host.Crashcart("unmount", box.PidText).Run()).Succeeded();
        Assert.DoesNotContain(box.Mounts(), line => line.Contains("/dev/crashcart", StringComparison.Ordinal));
        foreach (var squatter in squatters)
            await squatter.DisposeAsync();
    }

    [Fact]
    public async Task Defect_15_containers_that_share_dev_do_not_take_the_mount_from_each_other()
    {
        await using var directory = TemporaryDirectory.Create();
        var dev = directory["dev"];
        await new Command("sh", "-c", $"mkdir -p {dev}/pts {dev}/shm {dev}/mqueue && cp -a /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty {dev}").Output();
        await using var first = await host.Docker.RunBusybox("--volume", $"{dev}:/dev");
        await using var second = await host.Docker.RunBusybox("--volume", $"{dev}:/dev");
        await using var running = host.Crashcart("exec", "--shared", first.PidText, "--", "bash", "-c", "echo ready; read; ls /dev/crashcart/bin/tcpdump; exit 5").Start();
        await running.Says("ready");
        (await host.Crashcart(second.PidText, "true").Run()).Succeeded();
        (await host.Crashcart("exec", "--shared", second.PidText, "true").Run()).Succeeded();
        await running.Write("\n");
        var result = await running.Result();
        result.Exited(5);
        Assert.EndsWith("tcpdump\n", result.Output, StringComparison.Ordinal);
        Assert.Empty(Directory.GetDirectories(dev, "crashcart"));
    }

    [Fact]
    public async Task Defect_16_an_image_in_a_directory_that_cannot_be_written_is_as_good_as_any()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var small = await SmallImage.Make("read-only");
        var folder = Path.GetDirectoryName(small.Path)!;
        var exec = host.Crashcart("exec", "-i", small.Path, box.PidText, "/dev/crashcart/bin/cat", "/dev/crashcart/name");
        var name = await new Command("unshare", "--mount", "sh", "-c",
            $"mount --bind {folder} {folder} && mount -o remount,bind,ro {folder} && exec \"$@\"", "sh", exec.Program)
        {
            Environment = exec.Environment,
        }.With(exec.Arguments).Output();
        Assert.Equal("read-only", name);
        Assert.Equal(["crashcart.img", "root"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order());
    }

    [Fact]
    public async Task Defect_16_a_command_that_is_not_found_exits_127()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart(box.PidText, "no-such-tool").Run()).Refused(127, "no-such-tool");
    }

    [Fact]
    public async Task Defect_17_nothing_leaks_when_the_command_line_is_killed()
    {
        await using var box = await host.Docker.RunBusybox();
        var (mounts, dev) = (box.Mounts(), box.Dev());
        await using var running = host.Exec(box, "bash", "-c", "sleep 86386 & sleep 86386 & wait").Start();
        await Eventually.Holds(() => HostProcess.Find("sleep 86386").Length == 2, "the tool runs");
        running.Signal(LibC.SIGKILL);
        await HostProcess.Disappears("sleep 86386", TimeSpan.FromSeconds(10));
        await Eventually.Holds(() => !HostState.LoopDevicesOf(host.Image).Any(), "the loop device is free");
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
    }

    [Fact]
    public async Task Defect_17_nothing_leaks_whenever_the_command_line_is_killed()
    {
        await using var box = await host.Docker.RunBusybox();
        var (mounts, dev) = (box.Mounts(), box.Dev());
        for (var delay = 0; delay < 40; delay++)
        {
            await using var running = host.Exec(box, "sleep", "86385").Start();
            using (var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(1 + delay)))
                await timer.WaitForNextTickAsync();
            running.Signal(LibC.SIGKILL);
        }
        await HostProcess.Disappears("sleep 86385", TimeSpan.FromSeconds(10));
        await Eventually.Holds(() => !HostState.LoopDevicesOf(host.Image).Any(), "the loop device is free");
        Assert.Equal(mounts, box.Mounts());
        Assert.Equal(dev, box.Dev());
    }

    [Fact]
    public async Task Defect_17_a_replaced_image_is_used_at_once_and_the_old_one_freed()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var image = await SmallImage.Make("old");
        await using var newer = await SmallImage.Make("new");
        (await host.Crashcart("mount", "-i", image.Path, box.PidText).Run()).Succeeded();
        File.Move(newer.Path, image.Path, overwrite: true);
        Assert.Equal("new", await host.Crashcart("-i", image.Path, box.PidText, "/dev/crashcart/bin/cat", "/dev/crashcart/name").Output());
        (await host.Crashcart("unmount", box.PidText).Run()).Succeeded();
        Assert.Empty(HostState.LoopDevicesOf(image.Path));
    }

    private static async Task Shell(Container box, string script) => await box.Exec("sh", "-c", script).Output();
}
