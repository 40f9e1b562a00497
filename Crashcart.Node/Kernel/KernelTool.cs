using Crashcart.Actors.Node.Ports;
using Crashcart.Native;

namespace Crashcart.Node.Kernel;

/// <summary>A tool under its guardian.</summary>
internal sealed class KernelTool : ITool
{
    private readonly ToolProcess _process;

    public KernelTool(ToolProcess process, TargetProcess target)
    {
        _process = process;
        Exited = EndAsync(target);
    }

    public Stream? StandardInput => _process.Terminal ?? _process.StandardInput;

    public Stream StandardOutput =>
        _process.Terminal ?? _process.StandardOutput ?? throw new InvalidOperationException("A node's tool never inherits its streams.");

    public Stream? StandardError => _process.StandardError;

    public Task<int> Exited { get; }

    public string WhyExited { get; private set; } = "";

    // The other side of a terminal has no end of file that leaves its output readable.
    public void CloseInput() => _process.StandardInput?.Dispose();

    public void Signal(int signal) => _process.Signal(signal);

    public void Resize(int rows, int columns) => _process.Resize(Size(rows, columns));

    public void Kill() => _process.Kill();

    public ValueTask DisposeAsync() => _process.DisposeAsync();

    /// <summary>A size as the kernel has it: 16 bits each.</summary>
    public static TerminalSize Size(int rows, int columns) =>
        new((ushort)Math.Clamp(rows, 0, ushort.MaxValue), (ushort)Math.Clamp(columns, 0, ushort.MaxValue));

    private async Task<int> EndAsync(TargetProcess target)
    {
        var exit = await _process.Exited.ConfigureAwait(false);
        if (exit.Signal != 0 && target.IsExiting)
            WhyExited = "Its container exited.";
        return exit.Code;
    }
}
