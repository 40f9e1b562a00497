using Crashcart.Actors.Node.Ports;
using Crashcart.Native;

namespace Crashcart.Node.Kernel;

/// <summary>Shared mounts, with claims that other processes of this host (the command line's) respect.</summary>
internal sealed class KernelSharedMounts(KernelCalls kernel) : ISharedMounts
{
    public Task<IAsyncDisposable> MountAsync(ITarget target, IAttachedImage image, CancellationToken cancellation) => kernel.RunAsync(
        async () => (IAsyncDisposable)await SharedMountLease
            .TakeAsync(((KernelTarget)target).Process, ((KernelImage)image).Image, cancellation).ConfigureAwait(false),
        cancellation);
}
