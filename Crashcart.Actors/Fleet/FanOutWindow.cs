namespace Crashcart.Actors.Fleet;

/// <summary>
/// Which targets of a run are waiting, running and done: so many run at one time, on all nodes and on each, in order, and
/// no more start once too many have failed.
/// </summary>
public sealed class FanOutWindow(FanOut fanOut)
{
    private readonly List<string> _nodes = [];
    private readonly HashSet<int> _running = [];
    private readonly Dictionary<string, Lane> _lanes = [];

    // The first that waits of each node that has room, so that the next to start is found without a search.
    private readonly SortedSet<(int Target, string Node)> _startable = [];
    private int _started;
    private int _succeeded;
    private int _failed;

    public IReadOnlyCollection<int> Running => _running;

    /// <summary>Why no more targets start; empty while they do.</summary>
    public string Halt { get; private set; } = "";

    public bool IsDone => _running.Count == 0 && Waiting == 0;

    /// <summary>How many may start yet.</summary>
    public int Waiting { get; private set; }

    public int Succeeded => _succeeded;

    /// <summary>Targets are numbered from 0, in the order in which they were added.</summary>
    public void Add(string node)
    {
        if (!_lanes.TryGetValue(node, out Lane? lane))
            _lanes.Add(node, lane = new Lane());
        lane.Waiting.Enqueue(_nodes.Count);
        _nodes.Add(node);
        Waiting++;
        Offer(node, lane);
    }

    public bool IsRunning(int target) => _running.Contains(target);

    /// <summary>Takes the targets that may start now.</summary>
    public IReadOnlyList<int> TakeStartable()
    {
        var startable = new List<int>();
        while (_startable.Count > 0 && HasRoom)
        {
            (int target, string node) = _startable.Min;
            _startable.Remove((target, node));
            Lane lane = _lanes[node];
            lane.Waiting.Dequeue();
            lane.Running++;
            Waiting--;
            _started++;
            _running.Add(target);
            startable.Add(target);
            Offer(node, lane);
        }
        return startable;
    }

    /// <returns>False when the target was not running: its end is told once.</returns>
    public bool Finish(int target, bool failed = false)
    {
        if (!_running.Remove(target))
            return false;
        Lane lane = _lanes[_nodes[target]];
        lane.Running--;
        if (failed)
            _failed++;
        else
            _succeeded++;
        Offer(_nodes[target], lane);
        if (failed && _started <= fanOut.Canary)
            Stop($"{_failed} of the first {fanOut.Canary} failed");
        if (fanOut.MaxFailures is { } limit && limit.IsPassed(_failed, _nodes.Count))
            Stop($"{_failed} of {_nodes.Count} failed, and at most {limit} may");
        return true;
    }

    /// <summary>No more targets start.</summary>
    /// <param name="why">The first reason counts.</param>
    public void Stop(string why)
    {
        if (Halt.Length == 0)
            Halt = why;
    }

    /// <summary>The targets that will never start, each once, in order.</summary>
    public IReadOnlyList<int> TakeStopped() => Halt.Length == 0 ? [] : TakeWaiting();

    /// <summary>Nothing starts or runs any more.</summary>
    /// <returns>The targets that were running or had not started.</returns>
    public IReadOnlyList<int> Close()
    {
        int[] unfinished = [.. _running.Order(), .. TakeWaiting()];
        _running.Clear();
        return unfinished;
    }

    private bool HasRoom =>
        Halt.Length == 0
        && (fanOut.Parallel == 0 || _running.Count < fanOut.Parallel)
        && (_started < fanOut.Canary || _succeeded >= fanOut.Canary);

    private void Offer(string node, Lane lane)
    {
        if (lane.Waiting.Count > 0 && (fanOut.PerNode == 0 || lane.Running < fanOut.PerNode))
            _startable.Add((lane.Waiting.Peek(), node));
    }

    private int[] TakeWaiting()
    {
        int[] waiting = [.. _lanes.Values.SelectMany(lane => lane.Waiting).Order()];
        foreach (Lane lane in _lanes.Values)
            lane.Waiting.Clear();
        _startable.Clear();
        Waiting = 0;
        return waiting;
    }

    /// <summary>The targets of one node.</summary>
    private sealed class Lane
    {
        public Queue<int> Waiting { get; } = [];

        public int Running { get; set; }
    }
}
