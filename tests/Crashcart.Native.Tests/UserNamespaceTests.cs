using System.Text;

namespace Crashcart.Native.Tests;

public sealed class UserNamespaceTests : IDisposable
{
    private readonly Toolbox _box = new(userNamespace: true);

    [Fact]
    public async Task A_tool_is_root_in_the_container_and_nobody_outside()
    {
        await using ToolProcess tool = await _box.StartAsync(_box.Script("id -u; cat /proc/self/uid_map; cat"));
        var seen = new StringBuilder();
        await ToolProcessTests.ReadUntilAsync(tool.StandardOutput!, seen, "65536\n");
        Assert.StartsWith("0\n", seen.ToString(), StringComparison.Ordinal);
        // The second cat runs when it answers.
        await tool.StandardInput!.WriteAsync("here\n"u8.ToArray());
        await ToolProcessTests.ReadUntilAsync(tool.StandardOutput!, seen, "here\n");
        int outside = Assert.Single(_box.ProcessesOfContainer(pid => File.ReadAllText($"/proc/{pid}/cmdline").StartsWith("cat\0", StringComparison.Ordinal)));
        Assert.StartsWith("100000\t", ProcFile.Field(File.ReadAllText($"/proc/{outside}/status"), "Uid"), StringComparison.Ordinal);
        Assert.Equal(FileIdentity.Of($"/proc/{_box.Container.Pid}/ns/user"), FileIdentity.Of($"/proc/{outside}/ns/user"));
    }

    [Fact]
    public async Task A_user_is_resolved_inside() =>
        Assert.Equal("1000:1001\n", (await _box.RunAsync(_box.Script("echo $(id -u):$(id -g)") with { User = "user" })).Output);

    [Fact]
    public async Task A_user_that_the_namespace_does_not_map_is_refused()
    {
        CrashcartException e = await _box.RefusedAsync(_box.Spec("true") with { User = "100000" });
        Assert.Equal(FailureReason.BadRequest, e.Reason);
        Assert.Contains("user namespace", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_terminal_works()
    {
        ToolSpec spec = _box.Script("tty; stty size") with { Terminal = new TerminalSize(5, 6) };
        await using ToolProcess tool = await _box.StartAsync(spec, ToolStreams.Terminal);
        var seen = new StringBuilder();
        await ToolProcessTests.ReadUntilAsync(tool.Terminal!, seen, null);
        Assert.Equal("/dev/pts/0\r\n5 6\r\n", seen.ToString());
    }

    [Fact]
    public async Task Shared_and_private_mounts_work_alike()
    {
        foreach (bool shared in new[] { false, true })
        {
            ToolResult result = await _box.RunAsync(_box.Spec("readlink", "/proc/self/exe") with { Shared = shared });
            Assert.Equal("/dev/crashcart/bin/busybox\n", result.Output);
        }
        Assert.DoesNotContain("crashcart", _box.Container.DevEntries());
    }

    public void Dispose() => _box.Dispose();
}
