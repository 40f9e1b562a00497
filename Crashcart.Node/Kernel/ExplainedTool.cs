using System.Text;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Node.Kernel;

/// <summary>In place of a tool: what it would be allowed.</summary>
internal sealed class ExplainedTool(string explanation) : ITool
{
    public Stream? StandardInput => null;

    public Stream StandardOutput { get; } = new MemoryStream(Encoding.UTF8.GetBytes(explanation), writable: false);

    public Stream? StandardError => null;

    public Task<int> Exited { get; } = Task.FromResult(0);

    public string WhyExited => "";

    public void CloseInput()
    {
    }

    public void Signal(int signal)
    {
    }

    public void Resize(int rows, int columns)
    {
    }

    public void Kill()
    {
    }

    public ValueTask DisposeAsync() => StandardOutput.DisposeAsync();
}
