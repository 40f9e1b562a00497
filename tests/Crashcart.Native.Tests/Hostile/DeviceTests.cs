namespace Crashcart.Native.Tests.Hostile;

/// <summary>A session is outside the container's cgroup, and yet opens no device that the container may not.</summary>
public sealed class DeviceTests : IDisposable
{
    // As container runtimes have it: nodes of everything may be made, and few opened.
    private static readonly string[] Allowed = ["c *:* m", "b *:* m", "c 1:3 rwm", "c 1:5 rwm", "c 5:0 rwm", "c 5:2 rwm", "c 136:* rwm"];

    private readonly Toolbox _box = new();

    public static TheoryData<string> Hierarchies => [.. CgroupHierarchy.ReadOwn()
        .Where(hierarchy => hierarchy.IsUnified || hierarchy.Controllers.Contains("devices"))
        .Select(hierarchy => hierarchy.MountPoint)];

    [Theory]
    [MemberData(nameof(Hierarchies))]
    public async Task A_node_of_the_hosts_disk_that_the_container_made_opens_for_no_tool(string hierarchy)
    {
        using ContainerCgroup cgroup = Confine(hierarchy);
        string number = File.ReadAllText($"/sys/block/{Path.GetFileName(_box.Image.LoopDevice)}/dev").Trim();
        Shell.Run("mknod", _box.Container.Inside("/tmp/disk"), "b", number.Split(':')[0], number.Split(':')[1]);
        foreach (string profile in (string[])["restricted", "debug"])
        {
            ToolResult result = await _box.RunAsync(_box.Script("head -c 2 /tmp/disk; head -c 2 /dev/zero | tr '\\0' z; echo >/dev/null") with { Profile = profile });
            Assert.Equal("zz", result.Output);
            Assert.Contains("Operation not permitted", result.Errors, StringComparison.Ordinal);
        }
        Assert.Equal("\0\0", (await _box.RunAsync(_box.Script("head -c 2 /tmp/disk") with { Profile = "privileged" })).Output);
    }

    [Theory]
    [MemberData(nameof(Hierarchies))]
    public async Task A_terminal_opens_where_the_container_may_open_terminals(string hierarchy)
    {
        using ContainerCgroup cgroup = Confine(hierarchy);
        ToolSpec spec = _box.Script("tty") with { Terminal = new TerminalSize(24, 80) };
        await using ToolProcess tool = await _box.StartAsync(spec, ToolStreams.Terminal);
        var seen = new System.Text.StringBuilder();
        await ToolProcessTests.ReadUntilAsync(tool.Terminal!, seen, null);
        Assert.Equal("/dev/pts/0\r\n", seen.ToString());
    }

    [Fact]
    public async Task What_is_no_file_in_place_of_passwd_is_not_even_opened()
    {
        // Who opens the FIFO, as a watchdog's node could be opened, lets its writer go on.
        using var box = new Toolbox(
            setup: "rm etc/passwd; mkfifo etc/passwd; ln -sf passwd etc/group",
            command: "echo root:x:0:0::/evil: >/etc/passwd; echo >/tmp/opened; exec /bin/busybox cat");
        Assert.Equal("/\n", (await box.RunAsync(box.Script("echo $HOME") with { User = "0:0" })).Output);
        Assert.False(File.Exists(box.Container.Inside("/tmp/opened")));
    }

    [Fact]
    public void A_container_that_may_open_everything_has_no_policy()
    {
        using DevicePolicy policy = DevicePolicy.Of(_box.Target, CgroupHierarchy.ReadOwn());
        Assert.Empty(policy.Rules);
    }

    [Fact]
    public void Rules_are_read_and_written_as_the_kernel_has_them()
    {
        string text = string.Join('\n', Allowed) + "\n";
        IReadOnlyList<DeviceRule> rules = DeviceRule.ParseAll(text);
        Assert.Equal(Allowed, rules.Select(rule => rule.ToString()));
        Assert.Equal(new DeviceRule('c', 136, null, "rwm"), rules[^1]);
        Assert.True(Assert.Single(DeviceRule.ParseAll("a *:* rwm\n")).IsEverything);
        Assert.Throws<FormatException>(() => DeviceRule.ParseAll("c 1 rwm\n"));
    }

    [Fact]
    public async Task On_a_host_of_v1_alone_files_of_the_cgroup_say_what_may_be_opened()
    {
        CgroupHierarchy[] legacy = [.. CgroupHierarchy.ReadOwn().Where(hierarchy => !hierarchy.IsUnified)];
        string name = $"native-tests-{Guid.NewGuid():n}";
        SessionCgroup session = SessionCgroup.Plan(legacy, name, new SessionLimits(), DeviceRule.ParseAll("c 1:3 rwm\nb 8:* r\n"));
        session.Make(DevicePolicy.None);
        string directory = Assert.Single(session.Directories, path => path.Contains("/devices/", StringComparison.Ordinal));
        Assert.Equal("c 1:3 rwm\nb 8:* r\n", File.ReadAllText(directory + "/devices.list"));
        await session.EmptyAndRemoveAsync();
    }

    public void Dispose() => _box.Dispose();

    private ContainerCgroup Confine(string hierarchy)
    {
        var cgroup = new ContainerCgroup(_box.Container, hierarchy);
        if (!File.Exists(cgroup.Directory + "/devices.deny"))
        {
            using DeviceProgram program = DeviceProgram.Load(DeviceRule.ParseAll(string.Join('\n', Allowed)));
            program.Attach(cgroup.Directory);
            return cgroup;
        }
        cgroup.Write("devices.deny", "a");
        foreach (string rule in Allowed)
            cgroup.Write("devices.allow", rule);
        return cgroup;
    }
}
