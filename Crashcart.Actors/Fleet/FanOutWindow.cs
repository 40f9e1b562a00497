namespace Crashcart.Actors.Fleet;

/// <summary>Which targets of a run are waiting, running and done: at most so many run at one time, in order.</summary>
public sealed class FanOutWindow
{
    private readonly int _targets;
    private readonly int _width;
    private readonly HashSet<int> _running = [];
    private int _next;

    /// <param name="targets">Targets are numbered from 0.</param>
    /// <param name="width">How many may run at one time; 0 means all.</param>
    public FanOutWindow(int targets, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(targets);
        ArgumentOutOfRangeException.ThrowIfNegative(width);
        _targets = targets;
        _width = width == 0 ? targets : width;
    }

    public IReadOnlyCollection<int> Running => _running;

    public bool IsDone => _next == _targets && _running.Count == 0;

    public bool IsRunning(int target) => _running.Contains(target);

    /// <summary>Takes the targets that may start now.</summary>
    public IReadOnlyList<int> TakeStartable()
    {
        var startable = new List<int>();
        while (_next < _targets && _running.Count < _width)
        {
            _running.Add(_next);
            startable.Add(_next++);
        }
        return startable;
    }

    /// <returns>False when the target was not running: its end is told once.</returns>
    public bool Finish(int target) => _running.Remove(target);

    /// <summary>Nothing starts or runs any more.</summary>
    /// <returns>The targets that were running or had not started.</returns>
    public IReadOnlyList<int> Close()
    {
        int[] unfinished = [.. _running.Order(), .. Enumerable.Range(_next, _targets - _next)];
        _running.Clear();
        _next = _targets;
        return unfinished;
    }
}
