using Crashcart.Cli.Commands;

namespace Crashcart.Cli.Remote;

/// <summary>
/// What a signal to crashcart means while a run goes on elsewhere. The first wish to end is passed to the tools, the second kills
/// them, whatever they do, and the third leaves without waiting for their end.
/// </summary>
internal sealed class Interruption(Action<int> pass, Action end)
{
    private int _wishes;

    /// <summary>The signal that ended the run, or 0.</summary>
    public int EndedBy { get; private set; }

    /// <summary>No tool runs yet: the first wish to end ends the run.</summary>
    public volatile bool IsWaiting;

    public void On(int signal)
    {
        // The users' signals are messages to the tools and no wish to end.
        if (signal is Signals.User1 or Signals.User2)
        {
            pass(signal);
            return;
        }

        var wishes = Interlocked.Increment(ref _wishes);
        if (wishes < 3 && !IsWaiting)
        {
            pass(wishes == 1 ? signal : Signals.Kill);
            return;
        }

        EndedBy = signal;
        end();
    }
}
