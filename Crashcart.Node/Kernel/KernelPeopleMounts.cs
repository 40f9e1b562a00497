using Crashcart.Actors;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Native;
using FoundMount = Crashcart.Actors.Node.Ports.FoundMount;
using MountPath = Crashcart.Actors.MountPath;

namespace Crashcart.Node.Kernel;

/// <summary>Shared mounts for people, under the same locks as the command line's.</summary>
internal sealed class KernelPeopleMounts(KernelCalls kernel) : IPeopleMounts
{
    public Task<FoundMount> AttachAsync(MountImage request, ITarget target, IAttachedImage image, CancellationToken cancellation) => kernel.RunAsync(
        async () =>
        {
            var at = new MountPath(request.Path);
            var process = ((KernelTarget)target).Process;
            var mount = await SharedMount.AttachAsync(process, ((KernelImage)image).Image, Place(at), cancellation).ConfigureAwait(false);
            return new FoundMount(
                new ContainerId(process.ContainerId ?? ""),
                process.Pid,
                process.StartTime,
                mount.MountId,
                mount.LoopDevice,
                mount.ImageKey,
                mount.BackingFile,
                at,
                MadeBySessions: false);
        },
        cancellation);

    public Task<bool> DetachAsync(UnmountImage request, ITarget target, CancellationToken cancellation) =>
        kernel.RunAsync(() => SharedMount.DetachAsync(((KernelTarget)target).Process, request.Force, Place(new MountPath(request.Path)), cancellation), cancellation);

    private static Native.MountPath Place(MountPath at) => Native.MountPath.Parse(at.ToString());
}
