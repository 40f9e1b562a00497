using System.Text;

namespace Crashcart.Native.Tests;

public sealed class ContainerShapeTests
{
    [Theory]
    [InlineData("mount -o remount,ro dev")]
    [InlineData("mount --make-shared dev")]
    [InlineData("mkdir dev/crashcart; mount -t tmpfs other dev/crashcart")]
    [InlineData("umount dev/pts; rmdir dev/pts")]
    [InlineData("umount -l proc")]
    [InlineData("rm -r etc home")]
    [InlineData("mount -o remount,bind,ro .")]
    public async Task A_private_session_runs_whatever_the_container_is_like(string setup)
    {
        using var box = new Toolbox(setup: setup);
        string before = File.ReadAllText($"/proc/{box.Container.Pid}/mountinfo");
        ToolSpec spec = box.Script("echo $0") with { Terminal = new TerminalSize(24, 80) };
        await using (ToolProcess tool = await box.StartAsync(spec, ToolStreams.Terminal))
        {
            var seen = new StringBuilder();
            await ToolProcessTests.ReadUntilAsync(tool.Terminal!, seen, null);
            Assert.Equal("sh\r\n", seen.ToString());
            Assert.Equal(0, (await tool.Exited).Code);
        }
        Assert.Equal(before, File.ReadAllText($"/proc/{box.Container.Pid}/mountinfo"));
    }

    [Fact]
    public async Task A_container_without_dev_is_refused_with_the_remedy()
    {
        using var box = new Toolbox(setup: "umount -l dev; rmdir dev");
        CrashcartException e = await box.RefusedAsync(box.Spec("true"));
        Assert.Equal(FailureReason.TargetHostile, e.Reason);
        Assert.Contains("There is no /dev directory", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Defect_15_a_dev_that_two_containers_share_is_not_touched()
    {
        DirectoryInfo shared = Directory.CreateTempSubdirectory("crashcart-dev-");
        string setup = $"umount -l dev; mount --bind {shared.FullName} dev";
        using (var first = new Toolbox(setup: setup))
        using (var second = new Toolbox(setup: setup))
        {
            ToolResult[] results = await Task.WhenAll(first.RunAsync(first.Script("echo a")), second.RunAsync(second.Script("echo b")));
            Assert.Equal(["a\n", "b\n"], results.Select(result => result.Output));
            Assert.Empty(shared.GetFileSystemInfos());
        }
        shared.Delete();
    }

    [Fact]
    public async Task The_host_itself_takes_a_tool_on_purpose()
    {
        using var box = new Toolbox();
        using TargetProcess host = TargetProcess.Open(Environment.ProcessId, allowHost: true);
        await using ToolProcess tool = await ToolProcess.StartAsync(host, box.Image, box.Spec("readlink", "/proc/self/exe"), ToolStreams.OutputPipes);
        Assert.Equal("/dev/crashcart/bin/busybox\n", await Toolbox.ReadAsync(tool.StandardOutput!));
        Assert.Equal(0, (await tool.Exited).Code);
        Assert.False(Directory.Exists("/dev/crashcart"));
    }
}
