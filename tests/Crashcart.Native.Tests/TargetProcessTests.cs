using System.Diagnostics;
using System.Globalization;

namespace Crashcart.Native.Tests;

public sealed class TargetProcessTests
{
    [Fact]
    public void A_container_differs_in_every_namespace_that_it_was_given()
    {
        using TestContainer container = TestContainer.Start();
        using TargetProcess target = TargetProcess.Open(container.Pid);
        Assert.Equal(container.Pid, target.Pid);
        Assert.False(target.SharesHostMounts);
        const int MountUtsIpcNetPidCgroup = 0x00020000 | 0x04000000 | 0x08000000 | 0x40000000 | 0x20000000 | 0x02000000;
        Assert.Equal(MountUtsIpcNetPidCgroup, target.Namespaces.Different);
        Assert.False(target.Namespaces.OwnUserNamespace);
        Assert.Equal((0u, 0u), (target.OwnerUid, target.OwnerGid));
    }

    [Fact]
    public void A_user_namespace_is_seen_with_the_host_ids_of_its_root()
    {
        using TestContainer container = TestContainer.Start(userNamespace: true);
        using TargetProcess target = TargetProcess.Open(container.Pid);
        Assert.True(target.Namespaces.OwnUserNamespace);
        Assert.Equal((100000u, 100000u), (target.OwnerUid, target.OwnerGid));
    }

    [Fact]
    public async Task The_end_of_the_process_is_noticed()
    {
        using TestContainer container = TestContainer.Start();
        using TargetProcess target = TargetProcess.Open(container.Pid);
        Assert.False(target.Exited.IsCompleted);
        container.Kill();
        await target.Exited.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task Disposing_ends_the_wait_for_the_process()
    {
        using TestContainer container = TestContainer.Start();
        TargetProcess target = TargetProcess.Open(container.Pid);
        Task exited = target.Exited;
        target.Dispose();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => exited.WaitAsync(TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void A_stopped_container_opens_like_a_running_one()
    {
        using TestContainer container = TestContainer.Start();
        Shell.Run("kill", "-STOP", container.Pid.ToString(CultureInfo.InvariantCulture));
        using TargetProcess target = TargetProcess.Open(container.Pid);
        Assert.Equal(container.Pid, target.Pid);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MinValue)]
    public void Defect_2_pid_zero_and_negative_ones_are_never_the_host(int pid) => Refused(pid, FailureReason.BadRequest, "is not a PID");

    [Fact]
    public void Defect_2_a_pid_that_is_gone_is_never_the_host()
    {
        using Process ended = Process.Start("true");
        ended.WaitForExit();
        Refused(ended.Id, FailureReason.TargetGone, "is gone");
    }

    [Fact]
    public void A_process_in_the_hosts_mount_namespace_is_refused_with_the_remedy() =>
        Refused(Environment.ProcessId, FailureReason.TargetRefused, "in the host's own mount namespace, in no container: to run on the host itself, say --host");

    [Fact]
    public void A_process_in_the_hosts_mount_namespace_opens_on_purpose()
    {
        using TargetProcess target = TargetProcess.Open(Environment.ProcessId, allowHost: true);
        Assert.True(target.SharesHostMounts);
        Assert.Equal(0, target.Namespaces.Different);
    }

    [Fact]
    public void A_kernel_thread_is_refused() => Refused(2, FailureReason.TargetRefused, "is a kernel thread");

    [Fact]
    public void A_zombie_is_refused()
    {
        // The shell's child ends when another program, which never reaps it, has replaced the shell.
        using Process parent = Process.Start(
            new ProcessStartInfo("sh", ["-c", "sleep 100000 & echo $!; exec cat"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        int zombie = int.Parse(parent.StandardOutput.ReadLine()!, CultureInfo.InvariantCulture);
        Eventually.Holds(() => File.ReadAllText($"/proc/{parent.Id}/comm") == "cat\n", "the shell is replaced");
        Shell.Run("kill", "-KILL", $"{zombie}");
        Eventually.Holds(() => File.ReadAllText($"/proc/{zombie}/stat").Contains(") Z ", StringComparison.Ordinal), "the child is a zombie");
        Refused(zombie, FailureReason.TargetGone, "only waits to be reaped");
        parent.StandardInput.Close();
        parent.WaitForExit();
    }

    [Fact]
    public void A_thread_is_refused_with_its_process()
    {
        string task = Directory.EnumerateDirectories("/proc/self/task")
            .Select(path => Path.GetFileName(path))
            .First(name => name != Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        Refused(int.Parse(task, CultureInfo.InvariantCulture), FailureReason.BadRequest, $"thread of process {Environment.ProcessId}");
    }

    [Fact]
    public void A_container_id_that_the_cgroup_does_not_name_is_a_mismatch()
    {
        using TestContainer container = TestContainer.Start();
        CrashcartException e = Assert.Throws<CrashcartException>(
            () => TargetProcess.Open(container.Pid, containerId: new string('a', 64)));
        Assert.Equal(FailureReason.TargetGone, e.Reason);
    }

    [Fact]
    public void A_container_is_found_by_the_prefix_of_its_id()
    {
        string id = string.Concat(Guid.NewGuid().ToString("n"), Guid.NewGuid().ToString("n"));
        string cgroup = Path.Combine(
            CgroupHierarchy.ReadOwn()[0].MountPoint, $"crashcart-test-{Environment.ProcessId}-{id[..8]}", $"docker-{id}.scope");
        using TestContainer container = TestContainer.Start();
        Directory.CreateDirectory(cgroup);
        try
        {
            File.WriteAllText(Path.Combine(cgroup, "cgroup.procs"), $"{container.Pid}");
            Assert.Equal([(id, container.Pid)], TargetProcess.FindByContainerId(id[..12]));
            using TargetProcess target = TargetProcess.Open(container.Pid, containerId: id);
            Assert.Equal(id, target.ContainerId);
        }
        finally
        {
            container.Kill();
            Directory.Delete(cgroup);
            Directory.Delete(Path.GetDirectoryName(cgroup)!);
        }
    }

    private static void Refused(int pid, FailureReason reason, string sentence)
    {
        CrashcartException e = Assert.Throws<CrashcartException>(() => TargetProcess.Open(pid));
        Assert.Equal(reason, e.Reason);
        Assert.Contains(sentence, e.Message, StringComparison.Ordinal);
    }
}
