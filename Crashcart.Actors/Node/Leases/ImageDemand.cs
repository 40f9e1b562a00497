using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// Who waits for one image of the fleet's on this node, who uses it, and whether it goes when nobody does any more.
/// </summary>
/// <typeparam name="T">Who may wait.</typeparam>
internal sealed class ImageDemand<T>(Func<T, string> nameOf)
    where T : notnull
{
    private readonly List<(T Holder, WantedImage Image)> _waiting = [];
    private IReadOnlyList<string> _holders = [];
    private IReadOnlyList<string> _people = [];
    private bool _isUnwanted;

    public IReadOnlyList<(T Holder, WantedImage Image)> Waiting => _waiting;

    /// <summary>Those who use it and those who will, by name.</summary>
    public IReadOnlyList<string> Users =>
        [.. _holders.Concat(_people).Concat(_waiting.Select(waiting => nameOf(waiting.Holder))).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>It was to be removed when it was in use, and now nobody uses it.</summary>
    public bool ShallGo => _isUnwanted && Users.Count == 0;

    /// <summary>All who wait know sources; the freshest tickets came last. Of somebody who has left they are as good.</summary>
    public WantedImage Freshest { get; private set; } = new();

    /// <summary>Who wants it after it was to be removed wants it kept.</summary>
    public void Wait(T holder, WantedImage image)
    {
        _waiting.Add((holder, image));
        Freshest = image.Clone();
        _isUnwanted = false;
    }

    /// <summary>Who waited is gone.</summary>
    public void Leave(T holder) => _waiting.RemoveAll(waiting => waiting.Holder.Equals(holder));

    /// <summary>Removes and returns all who wait.</summary>
    public IReadOnlyList<T> TakeWaiting()
    {
        T[] holders = [.. _waiting.Select(waiting => waiting.Holder)];
        _waiting.Clear();
        return holders;
    }

    /// <summary>They have it now, or will have it at once.</summary>
    public void Hold(IEnumerable<T> holders) => _holders = [.. holders.Select(nameOf)];

    /// <summary>They are led to it, beside those who have it.</summary>
    public void HoldToo(IEnumerable<T> holders) => _holders = [.. _holders.Union(holders.Select(nameOf))];

    /// <summary>People have it mounted, whatever becomes of this node's process.</summary>
    public void Lease(IReadOnlyList<string> people) => _people = people;

    /// <summary>Remove it as soon as nobody uses it, unless somebody wants it again before.</summary>
    public void Unwant() => _isUnwanted = true;

    public void IsGone() => _isUnwanted = false;
}
