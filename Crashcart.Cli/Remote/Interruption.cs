using Crashcart.Cli.Commands;

namespace Crashcart.Cli.Remote;

/// <summary>
/// What a signal to crashcart means while a run goes on elsewhere: it is passed to the tools, but a second wish to end ends
/// the run, whatever the tools do.
/// </summary>
internal sealed class Interruption(Action<int> pass, Action end)
{
    private int _ending;

    /// <summary>The signal that ended the run, or 0.</summary>
    public int EndedBy { get; private set; }

    /// <summary>No tool runs yet: the first wish to end ends the run.</summary>
    public volatile bool IsWaiting;

    public void On(int signal)
    {
        // The users' signals are messages to the tools and no wish to end.
        if (signal is Signals.User1 or Signals.User2 || (Interlocked.Exchange(ref _ending, signal) == 0 && !IsWaiting))
        {
            pass(signal);
            return;
        }

        EndedBy = signal;
        end();
    }
}
