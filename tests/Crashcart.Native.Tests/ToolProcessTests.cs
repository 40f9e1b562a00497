using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Crashcart.Native.Tests;

public sealed class ToolProcessTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private readonly Toolbox _box = new();

    [Fact]
    public async Task A_tool_of_the_image_runs_in_the_container()
    {
        ToolResult result = await _box.RunAsync(_box.Script("echo $0; ls /; cat /proc/1/cmdline"));
        Assert.Equal(new ToolExit(0, 0), result.Exit);
        Assert.Equal("sh\nbin\ndev\netc\nhome\nold\nproc\ntmp\n/bin/busybox\0cat\0", result.Output);
        Assert.Equal("", result.Errors);
    }

    [Fact]
    public async Task The_image_is_seen_by_the_tool_and_by_nobody_else()
    {
        IReadOnlyList<string> before = _box.Container.DevEntries();
        await using ToolProcess tool = await _box.StartAsync(_box.Script("ls /dev/crashcart; cat"));
        var line = new byte[64];
        int n = await tool.StandardOutput!.ReadAsync(line);
        Assert.Equal("bin\n", Encoding.UTF8.GetString(line, 0, n));
        Assert.Equal(before, _box.Container.DevEntries());
        Assert.DoesNotContain(MountInfo.TryRead(_box.Container.Pid)!, mount => mount.Source == _box.Image.LoopDevice);
        Assert.DoesNotContain(MountInfo.ReadOwn(), mount => mount.Source == _box.Image.LoopDevice);
    }

    [Theory]
    [InlineData("exit 0", 0, 0)]
    [InlineData("exit 7", 7, 0)]
    [InlineData("kill -TERM $$", 143, 15)]
    [InlineData("kill -KILL $$", 137, 9)]
    public async Task The_exit_status_is_the_tools_own(string script, int code, int signal) =>
        Assert.Equal(new ToolExit(code, signal), (await _box.RunAsync(_box.Script(script))).Exit);

    [Fact]
    public async Task An_unknown_tool_is_127_with_a_hint()
    {
        CrashcartException e = await _box.RefusedAsync(_box.Spec("no-such-tool"));
        Assert.Equal((FailureReason.ToolNotFound, 127), (e.Reason, e.ExitCode));
        Assert.Contains("'no-such-tool'", e.Message, StringComparison.Ordinal);
        Assert.Contains("/dev/crashcart/bin", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("not-executable")]
    [InlineData("/dev/crashcart/bin/not-executable")]
    [InlineData("/etc")]
    public async Task A_tool_that_cannot_be_executed_is_126(string tool)
    {
        CrashcartException e = await _box.RefusedAsync(_box.Spec(tool));
        Assert.Equal((FailureReason.ToolNotExecutable, 126), (e.Reason, e.ExitCode));
    }

    [Fact]
    public async Task The_container_s_own_programs_are_found_after_the_toolbox()
    {
        File.WriteAllText(_box.Container.Inside("/bin/own"), "#!/bin/busybox sh\necho own\n");
        Shell.Run("chmod", "755", _box.Container.Inside("/bin/own"));
        File.CreateSymbolicLink(_box.Container.Inside("/bin/readlink"), "busybox");
        Assert.Equal("own\n", (await _box.RunAsync(_box.Spec("own"))).Output);
        Assert.Equal("/dev/crashcart/bin/busybox\n", (await _box.RunAsync(_box.Spec("readlink", "/proc/self/exe"))).Output);
    }

    [Fact]
    public async Task The_environment_is_clean()
    {
        ToolSpec spec = _box.Spec("env") with { Environment = ["A=1", "B=x=y", "LANG=C"] };
        string[] variables = (await _box.RunAsync(spec)).Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            ["A=1", "B=x=y", "HOME=/root", "LANG=C", $"PATH=/dev/crashcart/bin:/dev/crashcart/sbin:{Environment.GetEnvironmentVariable("PATH")}"],
            variables.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Defect_12_the_tool_gets_three_descriptors_and_not_the_callers_cgroup()
    {
        ToolSpec spec = _box.Script("ls /proc/self/fd; cat /proc/self/cgroup");
        ToolResult result = await _box.RunAsync(spec);
        // The fourth is ls's own, of the directory that it lists.
        Assert.StartsWith("0\n1\n2\n3\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("\n4\n", result.Output, StringComparison.Ordinal);
        Assert.Contains($"/crashcart/{spec.SessionName}", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Standard_input_reaches_the_tool_and_ends()
    {
        await using ToolProcess tool = await _box.StartAsync(_box.Spec("cat"));
        await tool.StandardInput!.WriteAsync("hello"u8.ToArray());
        await tool.StandardInput.DisposeAsync();
        Assert.Equal("hello", await Toolbox.ReadAsync(tool.StandardOutput!));
        Assert.Equal(0, (await tool.Exited.WaitAsync(Limit)).Code);
    }

    [Fact]
    public async Task A_mebibyte_passes_both_ways_unchanged()
    {
        byte[] sent = new byte[1 << 20];
        new Random(2).NextBytes(sent);
        await using ToolProcess tool = await _box.StartAsync(_box.Spec("cat"));
        Task writing = Task.Run(async () =>
        {
            await tool.StandardInput!.WriteAsync(sent);
            await tool.StandardInput.DisposeAsync();
        });
        using var received = new MemoryStream();
        await tool.StandardOutput!.CopyToAsync(received).WaitAsync(Limit);
        await writing;
        Assert.Equal(sent, received.ToArray());
        Assert.Equal(0, (await tool.Exited.WaitAsync(Limit)).Code);
    }

    [Fact]
    public async Task A_signal_reaches_the_tool()
    {
        await using ToolProcess tool = await _box.StartAsync(_box.Script("trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 1 & wait; done"));
        var line = new byte[16];
        Assert.Equal(6, await tool.StandardOutput!.ReadAsync(line).AsTask().WaitAsync(Limit));
        tool.Signal(10);
        Assert.Equal("got\n", await Toolbox.ReadAsync(tool.StandardOutput!).WaitAsync(Limit));
        Assert.Equal(3, (await tool.Exited.WaitAsync(Limit)).Code);
    }

    [Fact]
    public async Task Killing_ends_the_tool_and_what_it_left_behind()
    {
        await using ToolProcess tool = await _box.StartAsync(_box.Script("setsid sleep 100000 & sleep 100000"));
        tool.Kill();
        Assert.Equal(new ToolExit(137, 9), await tool.Exited.WaitAsync(Limit));
        Assert.Equal(1, _box.ProcessesInContainer());
        tool.Kill();
        tool.Signal(15);
    }

    [Fact]
    public async Task Disposing_kills_what_still_runs()
    {
        ToolProcess tool = await _box.StartAsync(_box.Spec("sleep", "100000"));
        await tool.DisposeAsync();
        Assert.True(tool.Exited.IsCompletedSuccessfully);
        Assert.Equal(1, _box.ProcessesInContainer());
        await tool.DisposeAsync();
    }

    [Fact]
    public async Task What_a_tool_leaves_in_the_background_ends_with_it()
    {
        ToolResult result = await _box.RunAsync(_box.Script("setsid sleep 100000 >/dev/null 2>&1 & setsid sh -c 'sleep 100000 & sleep 100000' & echo done"));
        Assert.Equal(("done\n", 0), (result.Output, result.Exit.Code));
        Assert.Equal(1, _box.ProcessesInContainer());
    }

    [Fact]
    public async Task Hundreds_of_sessions_leave_no_process_descriptor_or_cgroup()
    {
        await _box.RunAsync(_box.Spec("true"));
        int before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        for (int round = 0; round < 10; round++)
            await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => _box.RunAsync(_box.Spec("true"))));
        // Other tests open descriptors of their own meanwhile, and close them.
        Eventually.Holds(() => Directory.GetFileSystemEntries("/proc/self/fd").Length < before + 20, "the descriptors are closed");
        Assert.Equal(1, _box.ProcessesInContainer());
    }

    [Fact]
    public async Task A_guardian_that_is_killed_takes_the_session_with_it()
    {
        ToolSpec spec = _box.Script("setsid sleep 100000 & echo ready; sleep 100000");
        await using ToolProcess tool = await _box.StartAsync(spec);
        var line = new byte[16];
        await tool.StandardOutput!.ReadAsync(line).AsTask().WaitAsync(Limit);
        int guardian = Toolbox.ParentOf(_box.ProcessesOfContainer(pid => File.ReadAllText($"/proc/{pid}/comm") == "crashcart-reap\n").Single());
        Assert.Equal("crashcart-enter\n", File.ReadAllText($"/proc/{guardian}/comm"));
        Shell.Run("kill", "-KILL", $"{guardian}");
        Assert.Equal(new ToolExit(137, 9), await tool.Exited.WaitAsync(Limit));
        Assert.Equal(1, _box.ProcessesInContainer());
    }

    [Fact]
    public async Task The_container_may_end_during_a_session()
    {
        using var own = new Toolbox();
        await using ToolProcess tool = await own.StartAsync(own.Spec("sleep", "100000"));
        Assert.False(own.Target.IsExiting);
        own.Container.Kill();
        Assert.Equal(137, (await tool.Exited.WaitAsync(Limit)).Code);
        // The tool goes before the container's first process, which is on its way then.
        Assert.True(own.Target.IsExiting);
    }

    [Fact]
    public async Task A_stopped_container_takes_a_tool()
    {
        Shell.Run("kill", "-STOP", $"{_box.Container.Pid}");
        Assert.Equal("ok\n", (await _box.RunAsync(_box.Spec("echo", "ok"))).Output);
    }

    [Fact]
    public async Task A_container_that_has_ended_takes_none()
    {
        using var own = new Toolbox();
        own.Container.Kill();
        CrashcartException e = await own.RefusedAsync(own.Spec("true"));
        Assert.Equal(FailureReason.TargetGone, e.Reason);
    }

    [Fact]
    public async Task A_user_is_resolved_by_the_container_s_own_files()
    {
        Assert.Equal("1000:1001:1001 1002:/home/user\n", (await _box.RunAsync(Ids("user"))).Output);
        Assert.Equal("1000:1002:1002:/home/user\n", (await _box.RunAsync(Ids("user:extra"))).Output);
        Assert.Equal("77:88:88:/\n", (await _box.RunAsync(Ids("77:88"))).Output);
        CrashcartException e = await _box.RefusedAsync(Ids("nobody-here"));
        Assert.Equal(FailureReason.BadRequest, e.Reason);
        Assert.Contains("'nobody-here'", e.Message, StringComparison.Ordinal);

        ToolSpec Ids(string user) => _box.Script("echo $(id -u):$(id -g):$(id -G):$HOME") with { User = user };
    }

    [Fact]
    public async Task A_working_directory_is_entered_or_refused()
    {
        Assert.Equal("/tmp\n", (await _box.RunAsync(_box.Script("pwd") with { WorkingDirectory = "/tmp" })).Output);
        CrashcartException e = await _box.RefusedAsync(_box.Script("pwd") with { WorkingDirectory = "/absent" });
        Assert.Contains("'/absent'", e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("restricted", true)]
    [InlineData("debug", true)]
    [InlineData("privileged", false)]
    public async Task A_profile_decides_whether_privileges_can_be_gained(string profile, bool noNewPrivileges)
    {
        string status = (await _box.RunAsync(_box.Spec("cat", "/proc/self/status") with { Profile = profile })).Output;
        Assert.Equal(noNewPrivileges ? "1" : "0", ProcFile.Field(status, "NoNewPrivs"));
    }

    [Fact]
    public async Task Capabilities_are_added_and_dropped_by_name()
    {
        ToolSpec spec = _box.Spec("cat", "/proc/self/status") with { CapDrop = ["ALL"] };
        Assert.Equal("0000000000000000", ProcFile.Field((await _box.RunAsync(spec)).Output, "CapBnd"));
        spec = _box.Spec("cat", "/proc/self/status") with { User = "1000", CapAdd = ["cap_net_raw"] };
        string status = (await _box.RunAsync(spec)).Output;
        Assert.Equal("0000000000002000", ProcFile.Field(status, "CapAmb"));
        Assert.Equal("0000000000002000", ProcFile.Field(status, "CapEff"));
    }

    [Fact]
    public async Task A_terminal_is_the_tools_own_and_of_the_container()
    {
        ToolSpec spec = _box.Script("tty; stty size; echo $TERM; read line; echo \"<$line>\"; stty size") with { Terminal = new TerminalSize(33, 101) };
        await using ToolProcess tool = await _box.StartAsync(spec, ToolStreams.Terminal);
        Assert.Null(tool.StandardOutput);
        var seen = new StringBuilder();
        await ReadUntilAsync(tool.Terminal!, seen, "xterm\r\n");
        Assert.Equal("/dev/pts/0\r\n33 101\r\nxterm\r\n", seen.ToString());
        tool.Resize(new TerminalSize(44, 202));
        await tool.Terminal!.WriteAsync("typed\r"u8.ToArray());
        await ReadUntilAsync(tool.Terminal!, seen, null);
        Assert.EndsWith("typed\r\n<typed>\r\n44 202\r\n", seen.ToString(), StringComparison.Ordinal);
        Assert.Equal(0, (await tool.Exited.WaitAsync(Limit)).Code);
        tool.Resize(new TerminalSize(1, 1));
    }

    [Fact]
    public async Task Ctrl_C_on_the_terminal_reaches_the_tool_once()
    {
        ToolSpec spec = _box.Script("trap 'echo int' INT; echo ready; read a; read b; echo end") with { Terminal = new TerminalSize(24, 80) };
        await using ToolProcess tool = await _box.StartAsync(spec, ToolStreams.Terminal);
        var seen = new StringBuilder();
        await ReadUntilAsync(tool.Terminal!, seen, "ready\r\n");
        await tool.Terminal!.WriteAsync("\x03"u8.ToArray());
        await ReadUntilAsync(tool.Terminal!, seen, "int\r\n");
        await tool.Terminal!.WriteAsync("a\rb\r"u8.ToArray());
        await ReadUntilAsync(tool.Terminal!, seen, null);
        Assert.Equal(1, seen.ToString().Split("int\r\n").Length - 1);
    }

    [Fact]
    public async Task A_limit_of_processes_holds()
    {
        ToolSpec spec = _box.Script("for i in 1 2 3 4 5 6 7 8 9; do sleep 100 & done; echo all") with { Limits = new SessionLimits(Processes: 6) };
        ToolResult result = await _box.RunAsync(spec);
        Assert.Contains("can't fork", result.Errors, StringComparison.Ordinal);
        Assert.Empty(_box.Cgroups());
    }

    [Fact]
    public async Task A_limit_of_memory_holds()
    {
        ToolSpec spec = _box.Script("x=$(head -c 60000000 /dev/zero | tr '\\0' x); echo ${#x}") with { Limits = new SessionLimits(MemoryBytes: 20 << 20) };
        Assert.Equal(new ToolExit(137, 9), (await _box.RunAsync(spec)).Exit);
        Assert.Empty(_box.Cgroups());
    }

    [Fact]
    public async Task A_limit_of_processors_holds_for_all_of_the_tools_processes_together()
    {
        const double cpus = 0.25, enough = 0.15, onePeriod = cpus * 0.1;
        ToolSpec spec = _box.Script("(while :; do :; done) & while :; do :; done") with { Limits = new SessionLimits(NanoCpus: (long)(cpus * 1e9)) };
        var wall = Stopwatch.StartNew();
        await using (await _box.StartAsync(spec))
        {
            double used = 0;
            Eventually.Holds(() => (used = ProcessorSeconds(spec)) > enough, "the tool has computed for a while");
            Assert.InRange(used, enough, (cpus * wall.Elapsed.TotalSeconds) + (2 * onePeriod));
        }
        Assert.Empty(_box.Cgroups());

        // Also without its controller a cgroup of v2 counts it.
        static double ProcessorSeconds(ToolSpec spec) => double.Parse(
            File.ReadLines($"{CgroupHierarchy.ReadOwn()[0].MountPoint}/crashcart/{spec.SessionName}/cpu.stat").First()["usage_usec ".Length..],
            CultureInfo.InvariantCulture) / 1e6;
    }

    [Fact]
    public async Task Two_sessions_of_one_name_are_not_mixed()
    {
        ToolSpec spec = _box.Spec("sleep", "100000");
        await using ToolProcess first = await _box.StartAsync(spec);
        CrashcartException e = await _box.RefusedAsync(spec);
        Assert.Equal(FailureReason.Busy, e.Reason);
        Assert.False(first.Exited.IsCompleted);
    }

    [Fact]
    public async Task A_request_that_makes_no_sense_is_refused_before_anything_is_touched()
    {
        await Bad(_box.Spec(), "no tool to run");
        await Bad(_box.Spec("a\0b"), "NUL");
        await Bad(_box.Spec("true") with { Environment = ["A"] }, "NAME=VALUE");
        await Bad(_box.Spec("true") with { WorkingDirectory = "tmp" }, "not absolute");
        await Bad(_box.Spec("true") with { SessionName = "../x" }, "cannot name a session");
        await Bad(_box.Spec("true") with { SessionName = "a b" }, "cannot name a session");
        await Bad(_box.Spec("true") with { Profile = "root" }, "restricted, debug or privileged");
        await Bad(_box.Spec("true") with { CapAdd = ["NET"] }, "perhaps NET_BIND_SERVICE");
        await Bad(_box.Spec("true") with { Limits = new SessionLimits(MemoryBytes: 0) }, "has to be positive");
        await Bad(_box.Spec("true") with { Limits = new SessionLimits(NanoCpus: SessionLimits.LeastNanoCpus - 1) }, "from 0.01 to 8192");
        await Bad(_box.Spec("true") with { Limits = new SessionLimits(NanoCpus: SessionLimits.MostNanoCpus + 1) }, "from 0.01 to 8192");
        await Bad(_box.Spec("true") with { Terminal = new TerminalSize(1, 1) }, "terminal");
        Assert.Empty(_box.Cgroups());

        async Task Bad(ToolSpec spec, string sentence)
        {
            CrashcartException e = await _box.RefusedAsync(spec);
            Assert.Equal(FailureReason.BadRequest, e.Reason);
            Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _box.Dispose();

    internal static async Task ReadUntilAsync(Stream stream, StringBuilder seen, string? end)
    {
        var buffer = new byte[256];
        int n = 1;
        while (n > 0 && (end is null || !seen.ToString().EndsWith(end, StringComparison.Ordinal)))
        {
            n = await stream.ReadAsync(buffer).AsTask().WaitAsync(Limit);
            seen.Append(Encoding.UTF8.GetString(buffer, 0, n));
        }
    }
}
