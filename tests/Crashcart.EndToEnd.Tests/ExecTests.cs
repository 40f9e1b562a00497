using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Streams, signals and exit status of <c>crashcart exec</c> are the tool's.</summary>
[Collection(OnLocalHost.Name)]
public sealed class ExecTests(LocalHost host) : HostTest
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(42)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(127)]
    [InlineData(255)]
    public async Task Exits_as_the_tool(int code)
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Exec(box, "bash", "-c", $"exit {code}").Run()).Exited(code);
    }

    [Theory]
    [InlineData("HUP", 129)]
    [InlineData("INT", 130)]
    [InlineData("KILL", 137)]
    [InlineData("TERM", 143)]
    [InlineData("SEGV", 139)]
    public async Task Exits_with_128_and_the_signal_that_ended_the_tool(string signal, int code)
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Exec(box, "bash", "-c", $"kill -{signal} $$").Run()).Exited(code);
    }

    [Fact]
    public async Task Exits_126_when_the_tool_cannot_be_executed()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Exec(box, "/etc/passwd").Run()).Refused(126, "/etc/passwd");
    }

    [Fact]
    public async Task Exits_127_when_there_is_no_such_tool()
    {
        await using var box = await host.Docker.RunBusybox();
        (await host.Exec(box, "no-such-tool").Run()).Refused(127, "no-such-tool");
    }

    [Fact]
    public async Task Keeps_no_more_processors_busy_than_it_may()
    {
        const string Tool = "while :; do :; done # 86366";
        await using var box = await host.Docker.RunBusybox();
        var started = TimeProvider.System.GetTimestamp();
        await using var running = host.Crashcart("exec", "--cpus", "0.2", box.Name, "bash", "-c", Tool).Start();
        await HostProcess.IsHeldTo(await HostProcess.Appears($"bash -c {Tool}"), 0.2, started);
        running.Signal(LibC.SIGTERM);
        (await running.Result()).Exited(143);
    }

    [Fact]
    public async Task Finds_a_tool_of_the_image_before_the_containers_own()
    {
        await using var box = await host.Docker.RunBusybox();
        Assert.Contains("GNU coreutils", await host.Exec(box, "ls", "--version").Output(), StringComparison.Ordinal);
        Assert.Equal("busybox", await host.Exec(box, "/bin/readlink", "/bin/ls").Output());
    }

    [Fact]
    public async Task Sees_the_end_of_its_input()
    {
        await using var box = await host.Docker.RunBusybox();
        var result = await host.Exec(box, "bash", "-c", "cat; echo end").Run("first\nsecond");
        result.Succeeded();
        Assert.Equal("first\nsecondend\n", result.Output);
    }

    [Fact]
    public async Task Keeps_output_and_errors_apart_and_exact()
    {
        await using var box = await host.Docker.RunBusybox();
        var result = await host.Exec(box, "bash", "-c", "echo out; echo err >&2").Run();
        result.Succeeded();
        Assert.Equal("out\n", result.Output);
        Assert.Equal("err\n", result.Error);
    }

    [Fact]
    public async Task Carries_bytes_in_both_directions_unchanged()
    {
        await using var box = await host.Docker.RunBusybox();
        var sent = new string([.. Enumerable.Range(0, 3_000_000).Select(index => (char)(index % 0x7F))]);
        var result = await host.Exec(box, "cat").Run(sent);
        result.Succeeded();
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(sent)), SHA256.HashData(result.OutputBytes));
    }

    [Theory]
    [InlineData(1)] // SIGHUP
    [InlineData(2)] // SIGINT
    [InlineData(3)] // SIGQUIT
    [InlineData(10)] // SIGUSR1
    [InlineData(12)] // SIGUSR2
    [InlineData(15)] // SIGTERM
    public async Task Passes_a_signal_on_to_the_tool(int signal)
    {
        await using var box = await host.Docker.RunBusybox();
        await using var running = host.Exec(box, "bash", "-c",
            $"trap 'echo caught; exit 9' {signal}; echo ready; while :; do sleep 0.05; done").Start();
        await running.Says("ready");
        running.Signal(signal);
        var result = await running.Result();
        result.Exited(9);
        Assert.Equal("ready\ncaught\n", result.Output);
    }

    [Fact]
    public async Task Ends_when_nobody_reads_its_output()
    {
        await using var box = await host.Docker.RunBusybox();
        var exec = host.Exec(box, "yes");
        var pipe = new Command("bash", "-c", "\"$@\" | head -n 1; echo ${PIPESTATUS[0]}", "bash", exec.Program)
        {
            Environment = exec.Environment,
        };
        var result = await pipe.With(exec.Arguments).Run();
        result.Succeeded();
        Assert.Equal("y\n141\n", result.Output);
    }

    [Fact]
    public async Task Runs_in_the_working_directory_and_environment_that_were_asked_for()
    {
        await using var box = await host.Docker.RunBusybox();
        var result = await host.Crashcart("exec", "-w", "/etc", "-e", "COLOUR=red", box.PidText, "--", "bash", "-c", "echo $PWD $COLOUR").Output();
        Assert.Equal("/etc red", result);
    }

    [Fact]
    public async Task Runs_as_the_user_that_was_asked_for_by_the_containers_own_names()
    {
        await using var box = await host.Docker.RunBusybox();
        Assert.Equal("1000 1000 1000 10 /home/app", await As("app"));
        Assert.Equal("1000 10 10 /home/app", await As("app:wheel"));
        Assert.Equal("4242 77 77 /", await As("4242:77"));

        Task<string> As(string user) => host.Crashcart(
            "exec", "-u", user, box.PidText, "--", "bash", "-c", "echo $(id -u) $(id -g) $(id -G) $HOME").Output();
    }

    [Fact]
    public async Task Leaves_no_zombie_where_the_first_process_reaps_nothing()
    {
        await using var scratch = await host.Docker.RunScratch();
        await host.Exec(scratch, "bash", "-c", "(sleep 0.01 &) ; (sleep 0.02 &) ; true").Output();
        await Eventually.Holds(async () => (await scratch.Processes()).Length == 1, "only the container's own process is left");
    }

    [Fact]
    public async Task Ends_what_the_tool_left_in_the_background()
    {
        await using var box = await host.Docker.RunBusybox();
        await host.Exec(box, "bash", "-c", "setsid sleep 86399 >/dev/null 2>&1 & disown; exit 0").Output();
        await HostProcess.Disappears("sleep 86399", TimeSpan.FromSeconds(2));
    }

    [Fact]
    public async Task Runs_in_a_cgroup_of_its_own_outside_the_containers()
    {
        await using var box = await host.Docker.RunBusybox();
        await using var running = host.Exec(box, "sleep", "86398").Start();
        var tool = await HostProcess.Appears("sleep 86398");
        var groups = File.ReadAllLines($"/proc/{tool.ToString(CultureInfo.InvariantCulture)}/cgroup");
        Assert.Contains(groups, line => line.Contains("/crashcart/", StringComparison.Ordinal));
        Assert.DoesNotContain(groups, line => line.Contains(box.Id, StringComparison.Ordinal));
        running.Signal(LibC.SIGTERM);
        (await running.Result()).Exited(143);
    }
}
