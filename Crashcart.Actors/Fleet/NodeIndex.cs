namespace Crashcart.Actors.Fleet;

/// <summary>
/// What a node has told of its containers: enough to know that it has none of those somebody looks for, and not which it has.
/// </summary>
internal sealed class NodeIndex
{
    private readonly ulong[] _fingerprints;

    public NodeIndex(IEnumerable<ulong> fingerprints)
    {
        _fingerprints = [.. fingerprints];
        Array.Sort(_fingerprints);
    }

    public bool MayMatch(Selector selector) => _fingerprints.Length > 0 && selector.Requirements.All(MayHold);

    public bool MayHave(string name) => Has(Fingerprint.OfName(name));

    // Whether all its containers have a label, the index does not say.
    private bool MayHold(Selector.Requirement requirement) =>
        requirement.Negated
        || (requirement.Values is { } values
            ? values.Any(value => Has(Fingerprint.OfLabel(requirement.Key, value)))
            : Has(Fingerprint.OfKey(requirement.Key)));

    private bool Has(ulong fingerprint) => Array.BinarySearch(_fingerprints, fingerprint) >= 0;
}
