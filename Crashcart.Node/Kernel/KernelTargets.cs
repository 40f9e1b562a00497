using Crashcart.Actors;
using Crashcart.Actors.Node.Ports;
using Crashcart.Native;

namespace Crashcart.Node.Kernel;

/// <summary>Opens containers' processes by pidfd.</summary>
internal sealed class KernelTargets(KernelCalls kernel) : ITargets
{
    public async Task<ITarget> OpenAsync(ContainerId container, int pid, CancellationToken cancellation) => new KernelTarget(
        await kernel.RunAsync(() => TargetProcess.Open(pid, containerId: container.Value is { Length: > 0 } id ? id : null), cancellation).ConfigureAwait(false));
}

internal sealed class KernelTarget(TargetProcess process) : ITarget
{
    public TargetProcess Process => process;

    public Task Exited => process.Exited;

    public ValueTask DisposeAsync()
    {
        process.Dispose();
        return ValueTask.CompletedTask;
    }
}
