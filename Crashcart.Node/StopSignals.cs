using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node;

/// <summary>SIGTERM and SIGINT, as a token that ends a daemon in order; a second one ends it at once.</summary>
public sealed class StopSignals : IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
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

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
        _stopping.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        if (_stopping.IsCancellationRequested)
            return;
        context.Cancel = true;
        NodeLog.Signalled(_log, context.Signal.ToString());
        _stopping.Cancel();
    }
}
