using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Native;

namespace Crashcart.Node.Kernel;

/// <summary>Starts tools in containers, each in a cgroup of its own below the node's.</summary>
/// <param name="node">The node's name: the first part of every session's cgroup.</param>
/// <param name="defaults">For what a request leaves open.</param>
internal sealed class KernelTools(KernelCalls kernel, string node, SessionLimits defaults) : ITools
{
    public async Task<ITool> StartAsync(StartSession request, ITarget target, IAttachedImage image, CancellationToken cancellation)
    {
        var description = request.Tool;
        var streams = description switch
        {
            { Terminal: not null } => ToolStreams.Terminal,
            { Stdin: true } => ToolStreams.Pipes,
            _ => ToolStreams.OutputPipes,
        };
        var spec = Describe(request.SessionId, description);
        var process = ((KernelTarget)target).Process;
        if (description.Explain)
            return new ExplainedTool(await kernel.RunAsync(() => Task.FromResult(ToolPrivileges.Explain(process, spec)), cancellation).ConfigureAwait(false));
        return new KernelTool(
            await kernel.RunAsync(
                () => ToolProcess.StartAsync(process, ((KernelImage)image).Image, spec, streams, cancellation), cancellation).ConfigureAwait(false),
            process);
    }

    private ToolSpec Describe(string session, ToolDescription description) => new()
    {
        Arguments = [.. description.Argv],
        Environment = [.. description.Environment],
        User = NonEmpty(description.User),
        WorkingDirectory = NonEmpty(description.WorkingDirectory),
        Terminal = description.Terminal is { } size ? KernelTool.Size((int)size.Rows, (int)size.Columns) : null,
        Profile = NonEmpty(description.Profile) ?? "debug",
        Definition = description.Definition is { } own
            ? new ToolProfile(own.Base, own.HasCapabilities ? own.Capabilities : null, own.Added, own.Dropped, own.FiltersCalls, own.NoNewPrivileges)
            : null,
        CapAdd = [.. description.CapAdd],
        CapDrop = [.. description.CapDrop],
        Shared = description.Shared,
        Limits = defaults with
        {
            MemoryBytes = description.MemoryLimit > 0 ? description.MemoryLimit : defaults.MemoryBytes,
            NanoCpus = description.NanoCpus > 0 ? description.NanoCpus : defaults.NanoCpus,
        },
        SessionName = $"{node}/{session}",
    };

    private static string? NonEmpty(string text) => text.Length > 0 ? text : null;
}
