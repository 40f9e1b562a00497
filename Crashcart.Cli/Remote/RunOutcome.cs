using Crashcart.Cli.Output;

namespace Crashcart.Cli.Remote;

/// <summary>How the targets of one fleet run ended, and so the run.</summary>
/// <param name="targets">How many containers the selection matched.</param>
/// <param name="unansweredNodes">How many nodes did not say what they have.</param>
internal sealed class RunOutcome(int targets, int unansweredNodes)
{
    private readonly List<bool> _ended = [.. Enumerable.Repeat(false, targets)];
    private bool _toolFailed;
    private bool _timedOut;
    private bool _notReached = unansweredNodes > 0;

    /// <summary>So many more targets than before.</summary>
    public void Add(int more) => _ended.AddRange(Enumerable.Repeat(false, more));

    /// <summary>The tool ran and ended by itself, whatever number it chose to end with.</summary>
    public void Exited(int target, int code)
    {
        _ended[target] = true;
        _toolFailed |= code != 0;
    }

    /// <summary>The tool runs, and nobody waits for its end.</summary>
    public void GoesOn(int target) => _ended[target] = true;

    /// <summary>Somebody has more to tell, and did not.</summary>
    public void IsIncomplete() => _notReached = true;

    /// <summary>The tool was not run, or not to its end: 124 timed out, 125 not reached or lost, 126 not executable, 127 not found.</summary>
    public void Failed(int target, int code)
    {
        _ended[target] = true;
        _timedOut |= code == ExitStatus.TimedOut;
        _toolFailed |= code is ExitStatus.NotExecutable or ExitStatus.NotFound;
        _notReached |= code is not (ExitStatus.TimedOut or ExitStatus.NotExecutable or ExitStatus.NotFound);
    }

    /// <summary>The targets of which no end was told.</summary>
    public IEnumerable<int> Lost => Enumerable.Range(0, _ended.Count).Where(target => !_ended[target]);

    /// <summary>The run's exit status, were it over now; what hides most from the person wins.</summary>
    public int Status =>
        _notReached || Lost.Any() ? ExitStatus.Failed
        : _timedOut ? ExitStatus.TimedOut
        : _toolFailed ? ExitStatus.SomeToolFailed
        : _ended.Count == 0 ? ExitStatus.NothingMatched
        : ExitStatus.Success;
}
