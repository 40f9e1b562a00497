using System.Globalization;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Bad input to local mode gets one sentence, the right exit status, and leaves nothing.</summary>
[Collection(OnLocalHost.Name)]
public sealed class BadInputTests(LocalHost host) : HostTest
{
    [Fact]
    public async Task Process_that_is_gone()
    {
        await using var process = new Command("true").Start();
        await process.Result();
        (await host.Crashcart("exec", $"{process.Pid}", "true").Run()).Refused(125, $"{process.Pid}");
    }

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("99999999999")]
    public async Task Number_that_is_no_process_id(string pid) =>
        (await host.Crashcart("exec", "--", pid, "true").Run()).Refused(125, pid);

    [Fact]
    public async Task Kernel_thread()
    {
        Assert.Equal("", File.ReadAllText("/proc/2/cmdline"));
        (await host.Crashcart("exec", "2", "true").Run()).Refused(125, "2", "kernel thread");
    }

    [Fact]
    public async Task Process_in_the_hosts_own_mount_namespace()
    {
        await using var process = new Command("sleep", "86393").Start();
        var pid = process.Pid.ToString(CultureInfo.InvariantCulture);
        (await host.Crashcart("exec", pid, "true").Run()).Refused(125, pid, "--host");
        (await host.Crashcart("mount", pid).Run()).Refused(125, pid, "--host");
        Assert.Equal("here", await host.Crashcart("exec", "--host", pid, "echo", "here").Output());
    }

    [Fact]
    public async Task Container_that_does_not_run()
    {
        await using var box = await host.Docker.RunBusybox();
        await box.Docker("kill");
        (await host.Crashcart("exec", box.Name, "true").Run()).Refused(125, box.Name, "not running");
    }

    [Fact]
    public async Task Container_that_does_not_exist() =>
        (await host.Crashcart("exec", "no-such-container", "true").Run()).Refused(125, "no-such-container");

    [Fact]
    public async Task Container_prefix_that_means_two()
    {
        var boxes = new List<Container>();
        try
        {
            // Of at most seventeen ids two begin with the same digit.
            while (boxes.DistinctBy(box => box.Id[0]).Count() == boxes.Count)
                boxes.Add(await host.Docker.RunScratch());
            (await host.Crashcart("exec", $"{boxes[^1].Id[0]}", "true").Run()).Refused(125, $"{boxes[^1].Id[0]}");
        }
        finally
        {
            foreach (var box in boxes)
                await box.DisposeAsync();
        }
    }

    [Fact]
    public async Task Unknown_tool()
    {
        await using var box = await host.Docker.RunScratch();
        (await host.Exec(box, "no-such-tool").Run()).Refused(127, "no-such-tool", "/dev/crashcart/bin");
    }

    [Fact]
    public async Task No_image_at_the_path()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart("exec", "-i", "/nowhere/crashcart.img", box.PidText, "true").Run()).Refused(125, "/nowhere/crashcart.img");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(1 << 20)]
    public async Task Image_that_is_not_a_file_system(int length)
    {
        await using var box = await host.Docker.RunBusybox();
        await using var directory = TemporaryDirectory.Create();
        File.WriteAllBytes(directory["crashcart.img"], new byte[length]);
        (await host.Crashcart("exec", "-i", directory["crashcart.img"], box.PidText, "true").Run()).Refused(125, directory["crashcart.img"]);
        Assert.Empty(HostState.LoopDevicesOf(directory["crashcart.img"]));
    }

    [Fact]
    public async Task Image_that_is_cut_off()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var directory = TemporaryDirectory.Create();
        var image = directory["crashcart.img"];
        using (var source = File.OpenRead(host.Image))
        using (var target = File.Create(image))
        {
            var start = new byte[64 * 1024];
            source.ReadExactly(start);
            target.Write(start);
        }
        var result = await host.Crashcart("exec", "-i", image, box.PidText, "true").Run();
        Assert.Contains(result.ExitCode, (int[])[125, 126, 127]);
        Assert.NotEqual("", result.Error);
        Assert.Empty(HostState.LoopDevicesOf(image));
    }

    [Fact]
    public async Task Image_that_is_a_directory()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart("exec", "-i", "/tmp", box.PidText, "true").Run()).Refused(125, "/tmp");
    }

    [Fact]
    public async Task No_docker()
    {
        var crashcart = host.Crashcart("exec", "some-name", "true");
        var result = await (crashcart with
        {
            Environment = new Dictionary<string, string?>(crashcart.Environment) { ["DOCKER_HOST"] = "unix:///nowhere/docker.sock" },
        }).Run();
        result.Refused(125, "some-name", "/nowhere/docker.sock");
    }

    [Fact]
    public async Task Container_id_is_found_without_docker()
    {
        await using var box = await host.Docker.RunBusybox();
        var crashcart = host.Crashcart("exec", box.Id[..12], "hostname");
        var name = await (crashcart with
        {
            Environment = new Dictionary<string, string?>(crashcart.Environment) { ["DOCKER_HOST"] = "unix:///nowhere/docker.sock" },
        }).Output();
        Assert.Equal(box.Id[..12], name);
    }

    [Theory]
    [InlineData("nodes")]
    [InlineData("ps")]
    [InlineData("fleet", "exec", "--label", "app=web", "true")]
    public async Task No_coordinator(params string[] arguments) =>
        (await host.Crashcart(arguments).Run()).Refused(125, "no-coordinator.sock");

    [Fact]
    public async Task Not_root()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var directory = TemporaryDirectory.Create();
        File.SetUnixFileMode(directory.Path, (UnixFileMode)0x1ED); // 0755
        File.Copy(Artifacts.Cli, directory["crashcart"]);
        var crashcart = host.Crashcart();
        var result = await new Command("setpriv",
            "--reuid=65534", "--regid=65534", "--clear-groups", directory["crashcart"], "exec", box.PidText, "true")
        {
            Environment = crashcart.Environment,
        }.Run();
        result.Refused(125, "root");
    }

    [Fact]
    public async Task Unknown_option()
    {
        var result = await host.Crashcart("exec", "--no-such-option", "1", "true").Run();
        result.Exited(125);
        Assert.Contains("--no-such-option", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_target()
    {
        var result = await host.Crashcart("exec").Run();
        result.Exited(125);
        Assert.NotEqual("", result.Error);
    }

    [Fact]
    public async Task Working_directory_that_does_not_exist()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart("exec", "-w", "/nowhere", box.PidText, "true").Run()).Refused(125, "/nowhere");
    }

    [Fact]
    public async Task User_that_does_not_exist()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Crashcart("exec", "-u", "nobody-here", box.PidText, "true").Run()).Refused(125, "nobody-here");
    }
}
