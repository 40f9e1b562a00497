using Crashcart.Actors;
using Crashcart.Actors.Node.Ports;
using Crashcart.Native;
using FoundMount = Crashcart.Actors.Node.Ports.FoundMount;
using MountPath = Crashcart.Actors.MountPath;

namespace Crashcart.Node.Kernel;

/// <summary>What this host has of Crashcart's: mounts by everybody, and the cgroups of this node's sessions.</summary>
/// <param name="node">The node's name: the first part of every session's cgroup.</param>
internal sealed class KernelHostState(KernelCalls kernel, string node) : IHostState
{
    public Task<HostFindings> LookAsync(CancellationToken cancellation) => kernel.RunAsync(
        () =>
        {
            var sessions = LeftoverSessions.Find(node);
            AbandonedMounts.RemoveLocks();
            return new HostFindings(
                [.. MountSurvey.Read().Mounts.Select(Found)],
                [.. sessions.Select(name => new SessionId(name[(node.Length + 1)..]))]);
        },
        cancellation);

    public Task<bool> ReleaseAsync(FoundMount mount, CancellationToken cancellation) => kernel.RunAsync(
        async () =>
        {
            using var target = TargetProcess.Open(mount.Pid);
            return await AbandonedMounts.ReleaseAsync(target, cancellation).ConfigureAwait(false);
        },
        cancellation);

    public Task RemoveAsync(SessionId session, CancellationToken cancellation) => kernel.RunAsync(
        async () =>
        {
            await LeftoverSessions.RemoveSessionAsync($"{node}/{session}").ConfigureAwait(false);
            return true;
        },
        cancellation);

    private static FoundMount Found(Native.FoundMount mount) => new(
        new ContainerId(mount.ContainerId),
        mount.Pid,
        mount.StartTime,
        mount.MountId,
        mount.LoopDevice,
        mount.ImageKey,
        mount.BackingFile,
        new MountPath(mount.At.ToString()),
        mount.MadeBySessions is not null,
        mount.MadeBySessions?.ToUnixTimeMilliseconds() ?? 0);
}
