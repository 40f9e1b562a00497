using System.Runtime.InteropServices;

namespace Crashcart.Cli.Commands;

/// <summary>
/// While it lives, signals that would end crashcart are handed over once each, by their Linux numbers, and end nothing here.
/// </summary>
internal sealed class SignalRelay : IDisposable
{
    // PosixSignal has names of its own for some, and takes the numbers of the others.
    private static readonly (PosixSignal Signal, int Number)[] Relayed =
    [
        (PosixSignal.SIGHUP, Signals.Hangup),
        (PosixSignal.SIGINT, Signals.Interrupt),
        (PosixSignal.SIGQUIT, Signals.Quit),
        (PosixSignal.SIGTERM, Signals.Terminate),
        ((PosixSignal)Signals.User1, Signals.User1),
        ((PosixSignal)Signals.User2, Signals.User2),
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
