using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node;

/// <summary>SIGTERM and SIGINT: the first ends a daemon in order, the second hurries that, a third ends the process as it is.</summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly CancellationTokenSource _hurrying = new();
    private readonly PosixSignalRegistration[] _registrations;
    private readonly ILogger _log;

    public StopSignals(ILoggerFactory loggers)
    {
        _log = loggers.CreateLogger<StopSignals>();
        _registrations = [
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal)];
    }

    public CancellationToken Stopping => _stopping.Token;

    /// <summary>Nobody wants to wait for anything any more.</summary>
    public CancellationToken Hurrying => _hurrying.Token;

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stopping.Dispose();
        _hurrying.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (_hurrying.IsCancellationRequested)
            return;
        context.Cancel = true;
        if (_stopping.IsCancellationRequested)
        {
            NodeLog.SignalledAgain(_log, context.Signal.ToString());
            _hurrying.Cancel();
            return;
        }
        NodeLog.Signalled(_log, context.Signal.ToString());
        _stopping.Cancel();
    }
}
