namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Who holds a resource, whoever came first before the others. A set, not a count: releasing twice, or dying after a release, changes nothing.
/// </summary>
internal sealed class Holders<T> where T : notnull
{
    private readonly List<T> _all = [];

    public bool Any => _all.Count > 0;

    public IReadOnlyCollection<T> All => _all;

    /// <summary>Whether this is a new holder.</summary>
    public bool Add(T holder)
    {
        if (_all.Contains(holder))
            return false;
        _all.Add(holder);
        return true;
    }

    /// <summary>Whether the last holder went just now.</summary>
    public bool RemoveLast(T holder) => _all.Remove(holder) && _all.Count == 0;

    /// <summary>Removes and returns all of them.</summary>
    public IReadOnlyList<T> Clear()
    {
        T[] gone = [.. _all];
        _all.Clear();
        return gone;
    }
}
