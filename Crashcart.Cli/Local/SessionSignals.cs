using Crashcart.Cli.Commands;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Local;

/// <summary>Signals are the tool's once it runs. Before that they end crashcart, or take back what the whole container can see.</summary>
internal sealed class SessionSignals : IDisposable
{
    private readonly CancellationTokenSource _early = new();
    private SignalRelay? _relay;
    private ToolProcess? _tool;
    private int _signal;

    /// <param name="early">Something is made before the tool runs that only this process takes back.</param>
    public SessionSignals(bool early)
    {
        if (early)
            _relay = new SignalRelay(On);
    }

    /// <summary>Is cancelled by a signal that came before the tool.</summary>
    public CancellationToken Early => _early.Token;

    /// <summary>As a shell tells the signal that came before the tool.</summary>
    public int Status => ExitStatus.Signalled(Volatile.Read(ref _signal));

    public void GoTo(ToolProcess tool)
    {
        Volatile.Write(ref _tool, tool);
        _relay ??= new SignalRelay(On);
        if (Volatile.Read(ref _signal) is > 0 and var signal)
            tool.Signal(signal);
    }

    public void On(int signal)
    {
        if (Volatile.Read(ref _tool) is { } tool)
        {
            tool.Signal(signal);
            return;
        }
        Volatile.Write(ref _signal, signal);
        _early.Cancel();
    }

    public void Dispose()
    {
        _relay?.Dispose();
        _early.Dispose();
    }
}
