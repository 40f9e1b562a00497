using System.Diagnostics;
using static Tmds.Linux.LibC;

namespace Crashcart.Native.Tests.Hostile;

/// <summary>A container's code that watches for Crashcart's processes learns nothing from them and cannot use them.</summary>
public sealed class SpyTests
{
    private const int Sessions = 60;

    [Theory]
    [InlineData(false, false, "-sys_ptrace")]
    [InlineData(false, true, "-sys_ptrace")]
    [InlineData(true, false, null)]
    public async Task No_process_of_ours_can_be_read_written_or_traced(bool userNamespace, bool hostPids, string? without)
    {
        using var box = new Toolbox(command: "exec /bin/spy look >/tmp/report 2>&1", userNamespace: userNamespace, without: without, hostPids: hostPids, program: "spy");
        Started(box);
        for (int i = 0; i < Sessions; i++)
        {
            ToolSpec spec = box.Spec("echo", "ok") with { Profile = "restricted" };
            Assert.Equal("ok\n", (await box.RunAsync(spec)).Output);
        }
        Assert.Equal("started", string.Join("; ", Report(box).Split((char)10, StringSplitOptions.RemoveEmptyEntries).Distinct()));
    }

    [Fact]
    public async Task A_reaper_that_the_container_kills_takes_its_session_with_it()
    {
        using var box = new Toolbox(command: "exec /bin/spy kill >/tmp/report", program: "spy");
        Started(box);
        for (int i = 0; i < Sessions; i++)
        {
            try
            {
                await using ToolProcess tool = await box.StartAsync(box.Script("setsid sleep 100000 & sleep 100000"));
                Assert.Equal(new ToolExit(137, 9), await tool.Exited.WaitAsync(TimeSpan.FromSeconds(10)));
            }
            catch (CrashcartException e)
            {
                Assert.Contains("killed before", e.Message, StringComparison.Ordinal);
            }
            Assert.Empty(box.Cgroups());
        }
        Eventually.Holds(() => box.ProcessesInContainer() == 1, "only the container's own process is left");
    }

    [Fact]
    public async Task A_reaper_that_the_container_stops_costs_seconds_and_leaves_nothing()
    {
        using var box = new Toolbox(command: "exec /bin/spy stop >/tmp/report", program: "spy");
        Started(box);
        ToolProcess? tool = null;
        try
        {
            tool = await box.StartAsync(box.Script("setsid sleep 100000 & sleep 100000"));
            await tool.DisposeAsync();
        }
        catch (CrashcartException e)
        {
            Assert.Contains("did not start", e.Message, StringComparison.Ordinal);
        }
        Assert.Empty(box.Cgroups());
        Eventually.Holds(() => box.ProcessesInContainer() == 1, "only the container's own process is left");
    }

    [Fact]
    public async Task A_reaper_that_the_container_stops_while_its_tool_runs_tells_how_the_tool_ended()
    {
        using var box = new Toolbox();
        await using ToolProcess tool = await box.StartAsync(box.Script("read line; exit 5"));
        Shell.Run("kill", "-STOP", $"{Reaper(box)}");
        await tool.StandardInput!.DisposeAsync();
        Assert.Equal(new ToolExit(5, 0), await tool.Exited.WaitAsync(TimeSpan.FromSeconds(5)));
    }

    [Fact]
    public async Task A_reaper_that_stays_stopped_is_killed_before_anybody_loses_patience_with_its_guardian()
    {
        using var box = new Toolbox();
        await using ToolProcess tool = await box.StartAsync(box.Spec("sleep", "100000"));
        Shell.Run("kill", "-STOP", $"{Reaper(box)}");
        var watch = Stopwatch.StartNew();
        await tool.DisposeAsync();
        Assert.InRange(watch.Elapsed.TotalSeconds, 0, 7);
        Assert.Equal([box.Container.Pid], Living(box));
    }

    [Fact]
    public async Task A_tool_dies_with_its_reaper_also_when_its_guardian_is_not_there_to_kill_it()
    {
        using var box = new Toolbox();
        await using ToolProcess tool = await box.StartAsync(box.Spec("sleep", "100000"));
        int reaper = Reaper(box), guardian = Toolbox.ParentOf(reaper);
        Shell.Run("kill", "-STOP", $"{guardian}");
        Shell.Run("kill", "-KILL", $"{reaper}");
        Eventually.Holds(() => Living(box).Count == 1, "the tool is dead");
        Shell.Run("kill", "-CONT", $"{guardian}");
        Assert.Equal(new ToolExit(137, 9), await tool.Exited.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public async Task What_is_said_through_a_stolen_socket_is_not_believed()
    {
        using var box = new Toolbox(command: "exec /bin/spy steal >/tmp/report", program: "spy");
        Started(box);
        int before = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        await using (ToolProcess tool = await box.StartAsync(box.Script("setsid sleep 100000 & exec cat")))
        {
            Eventually.Holds(() => Report(box).Contains("stolen", StringComparison.Ordinal), "the socket is stolen");
            await tool.StandardInput!.WriteAsync("still here\n"u8.ToArray());
            Assert.Equal("still here\n", await Toolbox.ReadLineAsync(tool.StandardOutput!));
            Assert.InRange(Directory.GetFileSystemEntries("/proc/self/fd").Length, 0, before + 1500);
            tool.Signal(SIGTERM);
            Assert.Equal(new ToolExit(143, 15), await tool.Exited.WaitAsync(TimeSpan.FromSeconds(10)));
        }
        // The thief, which reaps nothing, was not taken for the reaper, and lives.
        Assert.Equal(1, box.ProcessesInContainer());
        Assert.Equal("", ProcFile.TryRead($"/proc/{box.Container.Pid}/task/{box.Container.Pid}/children"));
    }

    [Fact]
    public async Task The_helper_program_cannot_be_changed_through_the_tool_that_is_its_own_interpreter()
    {
        using var box = new Toolbox();
        File.WriteAllText(box.Container.Inside("/bin/self"), "#!/proc/self/exe\n");
        Shell.Run("chmod", "755", box.Container.Inside("/bin/self"));
        // What runs is crashcart-enter with no socket, which ends at once.
        Assert.Equal(new ToolExit(125, 0), (await box.RunAsync(box.Spec("/bin/self"))).Exit);
        ToolResult write = await box.RunAsync(box.Script("for i in 1 2 3; do /bin/self & echo x >/proc/$!/exe; done; wait"));
        Assert.DoesNotContain("x", write.Output, StringComparison.Ordinal);
        Assert.Equal("ok\n", (await box.RunAsync(box.Spec("echo", "ok"))).Output);
    }

    [Fact]
    public async Task The_helper_program_is_sealed_for_whoever_keeps_it_open_until_nobody_runs_it()
    {
        using var box = new Toolbox();
        await using ToolProcess tool = await box.StartAsync(box.Spec("cat"));
        using Descriptor kept = Descriptor.Open($"/proc/{Toolbox.ParentOf(Reaper(box))}/exe", O_RDONLY);
        Assert.Equal(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE, fcntl(kept.Number, F_GET_SEALS));
    }

    /// <summary>Without zombies: the container's own process reaps nothing.</summary>
    private static IReadOnlyList<int> Living(Toolbox box) =>
        box.ProcessesOfContainer(pid => ProcFile.TryRead($"/proc/{pid}/stat") is { } stat && !stat.Contains(") Z", StringComparison.Ordinal));

    private static int Reaper(Toolbox box) =>
        Assert.Single(box.ProcessesOfContainer(pid => File.ReadAllText($"/proc/{pid}/comm") == "crashcart-reap\n"));

    private static void Started(Toolbox box) =>
        Eventually.Holds(() => Report(box).StartsWith("started", StringComparison.Ordinal), "the spy watches");

    private static string Report(Toolbox box) => ProcFile.TryRead(box.Container.Inside("/tmp/report")) ?? "";
}
