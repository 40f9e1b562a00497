using Crashcart.Actors;
using Crashcart.Actors.Node.Ports;
using Crashcart.Native;
using FoundMount = Crashcart.Actors.Node.Ports.FoundMount;

namespace Crashcart.Node.Kernel;

/// <summary>Shared mounts for people, under the same locks as the command line's.</summary>
internal sealed class KernelPeopleMounts(KernelCalls kernel) : IPeopleMounts
{
    public Task<FoundMount> AttachAsync(ITarget target, IAttachedImage image, CancellationToken cancellation) => kernel.RunAsync(
        async () =>
        {
            var process = ((KernelTarget)target).Process;
            var mount = await SharedMount.AttachAsync(process, ((KernelImage)image).Image, cancellation).ConfigureAwait(false);
            return new FoundMount(
                new ContainerId(process.ContainerId ?? ""),
                process.Pid,
                process.StartTime,
                mount.MountId,
                mount.LoopDevice,
                mount.ImageKey,
                mount.BackingFile,
                MadeBySessions: false);
        },
        cancellation);

    public Task<bool> DetachAsync(ITarget target, bool force, CancellationToken cancellation) =>
        kernel.RunAsync(() => SharedMount.DetachAsync(((KernelTarget)target).Process, force, cancellation), cancellation);
}
