using System.Runtime.InteropServices;

namespace Crashcart.Cli.Commands;

/// <summary>
/// While it lives, signals that would end crashcart are handed over once each, by their Linux numbers, and end nothing here.
/// </summary>
internal sealed class SignalRelay : IDisposable
{
    /// <summary>signal(7): HUP, INT, QUIT, USR1, USR2, TERM.</summary>
    private static readonly (PosixSignal Signal, int Number)[] Relayed =
    [
        (PosixSignal.SIGHUP, 1), (PosixSignal.SIGINT, 2), (PosixSignal.SIGQUIT, 3), ((PosixSignal)10, 10), ((PosixSignal)12, 12),
        (PosixSignal.SIGTERM, 15),
    ];

    private readonly PosixSignalRegistration[] _registrations;

    public SignalRelay(Action<int> deliver) => _registrations =
    [
        .. Relayed.Select(entry => PosixSignalRegistration.Create(entry.Signal, context =>
        {
            context.Cancel = true;
            deliver(entry.Number);
        })),
    ];

    public void Dispose()
    {
        foreach (var registration in _registrations)
            registration.Dispose();
    }
}
