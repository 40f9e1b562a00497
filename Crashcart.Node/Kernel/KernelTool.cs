using Crashcart.Actors.Node.Ports;
using Crashcart.Native;

namespace Crashcart.Node.Kernel;

/// <summary>A tool under its guardian.</summary>
internal sealed class KernelTool(ToolProcess process) : ITool
{
    public Stream? StandardInput => process.Terminal ?? process.StandardInput;

    public Stream StandardOutput =>
        process.Terminal ?? process.StandardOutput ?? throw new InvalidOperationException("A node's tool never inherits its streams.");

    public Stream? StandardError => process.StandardError;

    public Task<int> Exited { get; } = CodeAsync(process);

    // The other side of a terminal has no end of file that leaves its output readable.
    public void CloseInput() => process.StandardInput?.Dispose();

    public void Signal(int signal) => process.Signal(signal);

    public void Resize(int rows, int columns) => process.Resize(Size(rows, columns));

    public void Kill() => process.Kill();

    public ValueTask DisposeAsync() => process.DisposeAsync();

    /// <summary>A size as the kernel has it: 16 bits each.</summary>
    public static TerminalSize Size(int rows, int columns) =>
        new((ushort)Math.Clamp(rows, 0, ushort.MaxValue), (ushort)Math.Clamp(columns, 0, ushort.MaxValue));

    private static async Task<int> CodeAsync(ToolProcess process) => (await process.Exited.ConfigureAwait(false)).Code;
}
