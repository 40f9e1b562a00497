using System.Diagnostics;

namespace Crashcart.Native.Tests;

public sealed class CgroupTests
{
    private const string Hybrid = """
        32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu,cpuacct
        35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
        39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
        """;

    private const string Unified = "41 31 0:38 / /sys/fs/cgroup rw,relatime - cgroup2 cgroup2 rw";

    private readonly string _name = $"native-tests-{Guid.NewGuid():n}";

    [Fact]
    public void A_hybrid_host_has_v2_first_and_v1_with_its_controllers()
    {
        IReadOnlyList<CgroupHierarchy> found = CgroupHierarchy.Find(MountInfo.ParseAll(Hybrid), _ => "");
        Assert.Equal(["/sys/fs/cgroup/unified", "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids"], found.Select(h => h.MountPoint));
        Assert.Equal([true, false, false, false], found.Select(h => h.IsUnified));
        Assert.Contains("memory", found[2].Controllers);
    }

    [Fact]
    public void A_host_of_v2_alone_has_one_hierarchy_with_what_its_root_lists()
    {
        CgroupHierarchy hierarchy = Assert.Single(CgroupHierarchy.Find(MountInfo.ParseAll(Unified), _ => "cpuset cpu io memory pids\n"));
        Assert.Equal(["cpu", "cpuset", "io", "memory", "pids"], hierarchy.Controllers.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Without_limits_a_session_is_in_v2_alone()
    {
        SessionCgroup session = Made(_name, new SessionLimits());
        string directory = Assert.Single(session.Directories);
        Assert.EndsWith($"/crashcart/{_name}", directory, StringComparison.Ordinal);
        Assert.NotNull(session.Unified);
        Assert.Empty(session.Legacy);
        Assert.Equal([Path.GetDirectoryName(directory)!], session.Parents);
        Directory.Delete(directory);
    }

    [Fact]
    public void A_limit_of_processes_that_shall_cost_nothing_is_set_where_it_does_not()
    {
        IReadOnlyList<CgroupHierarchy> hybrid = CgroupHierarchy.Find(MountInfo.ParseAll(Hybrid), _ => "");
        IReadOnlyList<CgroupHierarchy> unified = CgroupHierarchy.Find(MountInfo.ParseAll(Unified), _ => "memory pids\n");
        var limits = new SessionLimits(CheapProcesses: 9);
        Assert.Equal(["/sys/fs/cgroup/crashcart/a/pids.max=9"], SessionCgroup.Plan(unified, "a", limits).Settings);
        Assert.Equal(["/sys/fs/cgroup/crashcart/a/pids.max=3"], SessionCgroup.Plan(unified, "a", limits with { Processes = 3 }).Settings);
        Assert.Empty(SessionCgroup.Plan(hybrid, "a", limits).Settings);
        Assert.Equal(
            ["/sys/fs/cgroup/memory/crashcart/a/memory.limit_in_bytes=1", "/sys/fs/cgroup/pids/crashcart/a/pids.max=9"],
            SessionCgroup.Plan(hybrid, "a", limits with { MemoryBytes = 1 }).Settings);
    }

    [Fact]
    public void A_limit_of_processors_is_a_quota_of_each_tenth_of_a_second()
    {
        IReadOnlyList<CgroupHierarchy> hybrid = CgroupHierarchy.Find(MountInfo.ParseAll(Hybrid), _ => "");
        IReadOnlyList<CgroupHierarchy> unified = CgroupHierarchy.Find(MountInfo.ParseAll(Unified), _ => "cpu\n");
        var limits = new SessionLimits(NanoCpus: 1_500_000_000);
        Assert.Equal(["/sys/fs/cgroup/crashcart/a/cpu.max=150000"], SessionCgroup.Plan(unified, "a", limits).Settings);
        Assert.Equal(["/sys/fs/cgroup/cpu/crashcart/a/cpu.cfs_quota_us=150000"], SessionCgroup.Plan(hybrid, "a", limits).Settings);
        Assert.Equal(
            ["/sys/fs/cgroup/crashcart/a/cpu.max=1000"],
            SessionCgroup.Plan(unified, "a", new SessionLimits(NanoCpus: SessionLimits.LeastNanoCpus)).Settings);
    }

    [Fact]
    public void A_limit_that_the_kernel_does_not_take_is_named_and_nothing_is_left()
    {
        // More than its parent's, which is a limit in v1 and none in v2.
        CgroupHierarchy[] legacy = [.. CgroupHierarchy.ReadOwn().Where(hierarchy => !hierarchy.IsUnified)];
        if (!legacy.Any(hierarchy => hierarchy.Controllers.Contains("cpu")))
            return;
        SessionCgroup parent = Made(legacy, _name, new SessionLimits(NanoCpus: 500_000_000));
        CrashcartException e = Assert.Throws<CrashcartException>(() => Made(legacy, $"{_name}/child", new SessionLimits(NanoCpus: 1_000_000_000)));
        Assert.Contains("cpu.cfs_quota_us", e.Message, StringComparison.Ordinal);
        Assert.Contains("'100000'", e.Message, StringComparison.Ordinal);
        Assert.All(parent.Directories, directory => Assert.False(Directory.Exists(directory)));
    }

    [Fact]
    public async Task Limits_are_written_where_their_controllers_are()
    {
        SessionCgroup session = Made(_name + "/limited", new SessionLimits(64 << 20, 17, NanoCpus: 250_000_000));
        Assert.Equal($"{64 << 20}", Single(session, "memory.limit_in_bytes", "memory.max"));
        Assert.Equal("17", Single(session, "pids.max", "pids.max"));
        Assert.Equal("25000", Single(session, "cpu.cfs_quota_us", "cpu.max").Split(' ')[0]);
        await session.EmptyAndRemoveAsync();
        Assert.All(session.Directories, directory => Assert.False(Directory.Exists(directory)));
        Assert.All(session.Directories, directory => Assert.False(Directory.Exists(Path.GetDirectoryName(directory))));
    }

    [Fact]
    public async Task The_next_session_to_end_removes_what_a_killed_process_and_its_guardian_have_left()
    {
        int ended = EndedProcess();
        SessionCgroup abandoned = Made($"{new ProcessName(OwnPidNamespace, ended)}", new SessionLimits());
        SessionCgroup alive = Made($"{ProcessName.OfThisProcess}", new SessionLimits());
        await Made(_name, new SessionLimits()).EmptyAndRemoveAsync();
        Assert.False(Directory.Exists(abandoned.Unified));
        Assert.True(Directory.Exists(alive.Unified));
        await alive.EmptyAndRemoveAsync();
    }

    [Fact]
    public async Task A_process_of_another_PID_namespace_is_not_taken_for_an_ended_one()
    {
        int ended = EndedProcess();
        using TestContainer container = TestContainer.Start("", "exec /bin/busybox cat");
        ulong space = FileIdentity.Of($"/proc/{container.Pid}/ns/pid")!.Value.Inode;
        Assert.NotEqual(OwnPidNamespace, space);
        SessionCgroup foreign = Made($"{new ProcessName(space, ended)}", new SessionLimits());
        await Made(_name, new SessionLimits()).EmptyAndRemoveAsync();
        Assert.True(Directory.Exists(foreign.Unified));
        await foreign.EmptyAndRemoveAsync();
    }

    [Fact]
    public async Task Processes_of_the_same_PID_in_different_PID_namespaces_have_sessions_of_different_names()
    {
        // Both live until both have said their names: the number of a namespace that has ended is used again.
        using Process one = FirstProcess(), other = FirstProcess();
        string?[] names = [await one.StandardOutput.ReadLineAsync(), await other.StandardOutput.ReadLineAsync()];
        Assert.All(names, name => Assert.EndsWith("-1", name, StringComparison.Ordinal));
        Assert.NotEqual(names[0], names[1]);
        one.StandardInput.Close();
        other.StandardInput.Close();

        static Process FirstProcess() => Process.Start(new ProcessStartInfo(
            "unshare", ["--pid", "--fork", "--mount-proc", "dotnet", typeof(ClientProgram).Assembly.Location, "name"])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    [Fact]
    public async Task Whatever_is_in_a_session_is_killed_before_it_is_removed()
    {
        SessionCgroup session = Made(_name, new SessionLimits(Processes: 100));
        using Process member = Process.Start(new ProcessStartInfo("sleep", ["100000"]))!;
        foreach (string directory in session.Directories)
            File.WriteAllText(directory + "/cgroup.procs", $"{member.Id}");
        await session.EmptyAndRemoveAsync();
        await member.WaitForExitAsync();
        Assert.Equal(137, member.ExitCode);
        Assert.All(session.Directories, directory => Assert.False(Directory.Exists(directory)));
    }

    [Fact]
    public async Task On_a_host_of_v1_alone_the_pids_hierarchy_holds_the_session_together()
    {
        CgroupHierarchy[] legacy = [.. CgroupHierarchy.ReadOwn().Where(hierarchy => !hierarchy.IsUnified)];
        SessionCgroup session = Made(legacy, _name, new SessionLimits());
        Assert.Null(session.Unified);
        Assert.Contains("/pids/", Assert.Single(session.Directories), StringComparison.Ordinal);
        await session.EmptyAndRemoveAsync();
    }

    [Fact]
    public void A_limit_without_its_controller_is_refused()
    {
        CgroupHierarchy[] bare = [.. CgroupHierarchy.ReadOwn().Where(hierarchy => hierarchy.IsUnified)];
        bare = [bare[0] with { Controllers = new HashSet<string>() }];
        CrashcartException e = Assert.Throws<CrashcartException>(() => SessionCgroup.Plan(bare, _name, new SessionLimits(MemoryBytes: 1 << 20)));
        Assert.Contains("no memory cgroup controller", e.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists($"{bare[0].MountPoint}/crashcart/{_name}"));
    }

    [Fact]
    public void A_host_without_cgroups_is_told_what_to_mount()
    {
        CrashcartException e = Assert.Throws<CrashcartException>(() => SessionCgroup.Plan([], _name, new SessionLimits()));
        Assert.Contains("mount cgroup2", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sessions_that_come_and_go_at_once_do_not_take_each_others_parents_away()
    {
        await Task.WhenAll(Enumerable.Range(0, 4).Select(worker => Task.Run(async () =>
        {
            for (int i = 0; i < 100; i++)
            {
                SessionCgroup session = Made($"{_name}/nested/{worker}-{i}", new SessionLimits());
                await session.EmptyAndRemoveAsync();
            }
        })));
        Assert.False(Directory.Exists($"{CgroupHierarchy.ReadOwn()[0].MountPoint}/crashcart/{_name}"));
    }

    private static SessionCgroup Made(string name, SessionLimits limits) => Made(CgroupHierarchy.ReadOwn(), name, limits);

    private static SessionCgroup Made(IReadOnlyList<CgroupHierarchy> hierarchies, string name, SessionLimits limits)
    {
        SessionCgroup session = SessionCgroup.Plan(hierarchies, name, limits);
        session.Make(DevicePolicy.None);
        return session;
    }

    /// <summary>A PID that nobody has any more.</summary>
    private static ulong OwnPidNamespace => ProcessName.OfThisProcess.PidNamespace;

    private static int EndedProcess()
    {
        using Process process = Process.Start("true");
        process.WaitForExit();
        return process.Id;
    }

    private static string Single(SessionCgroup session, string legacyFile, string unifiedFile) =>
        File.ReadAllText(session.Directories
            .SelectMany(directory => new[] { $"{directory}/{legacyFile}", $"{directory}/{unifiedFile}" })
            .First(File.Exists)).Trim();
}
