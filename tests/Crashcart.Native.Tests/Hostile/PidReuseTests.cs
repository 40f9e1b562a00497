using System.Diagnostics;

namespace Crashcart.Native.Tests.Hostile;

/// <summary>A container ends, and its PID is another process's before Crashcart comes.</summary>
public sealed class PidReuseTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("crashcart-reborn-").FullName;

    [Fact]
    public async Task What_was_looked_up_before_is_gone_and_the_successor_is_never_entered()
    {
        using var box = new Toolbox();
        box.Container.Kill();
        using Process reborn = Reborn(box.Container.Pid);
        string before = File.ReadAllText($"/proc/{box.Container.Pid}/mountinfo");
        await Gone(() => box.RunAsync(box.Spec("true")));
        await Gone(() => box.RunAsync(box.Spec("true") with { Shared = true }));
        await Gone(() => SharedMount.AttachAsync(box.Target, box.Image));
        await Gone(() => SharedMount.DetachAsync(box.Target, force: true));
        Assert.Equal(before, File.ReadAllText($"/proc/{box.Container.Pid}/mountinfo"));
        Assert.False(reborn.HasExited);
        End(reborn);
    }

    [Fact]
    public async Task A_container_that_ends_between_the_look_and_the_leap_is_not_entered()
    {
        using var box = new Toolbox();
        // The helper program has all that it needs, and starts when the container has just ended.
        using ToolPipes pipes = ToolPipes.Open(ToolStreams.OutputPipes);
        await using ToolSession session = await ToolSession.StartAsync(box.Target, box.Image, box.Spec("true"), pipes, CancellationToken.None);
        box.Container.Kill();
        try
        {
            await session.WaitStartedAsync(CancellationToken.None);
            await session.WaitExitedAsync();
        }
        catch (CrashcartException e)
        {
            Assert.True(e.Reason is FailureReason.TargetGone or FailureReason.System, e.ToString());
        }
    }

    [Fact]
    public void A_PID_that_somebody_looked_up_for_a_container_is_not_taken_for_it_when_it_is_anothers()
    {
        string id = string.Concat(Guid.NewGuid().ToString("n"), Guid.NewGuid().ToString("n"));
        string parent = Path.Combine(CgroupHierarchy.ReadOwn()[0].MountPoint, $"crashcart-test-{id[..8]}");
        string cgroup = Directory.CreateDirectory(Path.Combine(parent, $"docker-{id}.scope")).FullName;
        using TestContainer container = TestContainer.Start();
        File.WriteAllText(Path.Combine(cgroup, "cgroup.procs"), $"{container.Pid}");
        using (TargetProcess target = TargetProcess.Open(container.Pid, containerId: id))
            Assert.Equal(id, target.ContainerId);
        container.Kill();
        using Process reborn = Reborn(container.Pid);
        CrashcartException e = Assert.Throws<CrashcartException>(() => TargetProcess.Open(container.Pid, containerId: id));
        Assert.Equal(FailureReason.TargetGone, e.Reason);
        Assert.Contains("its PID is used again", e.Message, StringComparison.Ordinal);
        End(reborn);
        Directory.Delete(cgroup);
        Directory.Delete(parent);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    private Process Reborn(int pid)
    {
        string program = Path.Combine(_directory, "reborn");
        HostileProgram.Compile("reborn", program);
        Process reborn = Process.Start(new ProcessStartInfo(program, [$"{pid}"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        Assert.Equal("born", reborn.StandardOutput.ReadLine());
        return reborn;
    }

    private static void End(Process reborn)
    {
        reborn.StandardInput.Close();
        reborn.WaitForExit();
    }

    private static async Task Gone(Func<Task> action) =>
        Assert.Equal(FailureReason.TargetGone, (await Assert.ThrowsAsync<CrashcartException>(action)).Reason);
}
