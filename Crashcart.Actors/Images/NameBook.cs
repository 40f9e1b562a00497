namespace Crashcart.Actors.Images;

/// <summary>The record that counts of each name, removed names among them.</summary>
public sealed class NameBook
{
    private readonly Dictionary<ImageName, NameRecord> _records = [];

    public IEnumerable<NameRecord> All => _records.Values.OrderBy(record => record.Name.Value, StringComparer.Ordinal);

    /// <summary>Names that lead to an image.</summary>
    public IEnumerable<NameRecord> Living => All.Where(record => record.Digest is not null);

    public NameRecord? Find(ImageName name) => _records.GetValueOrDefault(name);

    /// <returns>False when a record that beats it, or the same, is known.</returns>
    public bool Add(NameRecord record)
    {
        if (_records.TryGetValue(record.Name, out NameRecord? known) && !record.Beats(known))
            return false;
        _records[record.Name] = record;
        return true;
    }

    /// <summary>Names of one image.</summary>
    public IReadOnlyList<NameRecord> Of(ImageDigest digest) => [.. Living.Where(record => record.Digest == digest)];

    /// <summary>Forgets what was removed before that moment: no coordinator is away for so long and then believed.</summary>
    public void ForgetRemoved(long beforeUnixMs)
    {
        foreach (NameRecord old in All.Where(record => record.Digest is null && record.UnixMs < beforeUnixMs).ToList())
            _records.Remove(old.Name);
    }

    /// <summary>Forgets what was removed longest ago, until there are no more records than that.</summary>
    /// <returns>False when there are still more, which all lead to images.</returns>
    public bool TrimTo(int records)
    {
        foreach (NameRecord old in _records.Values.Where(record => record.Digest is null).OrderBy(record => record.UnixMs).Take(_records.Count - records).ToList())
            _records.Remove(old.Name);
        return _records.Count <= records;
    }

    /// <summary>A moment for a new record of the name, at which it beats all that are known, whatever the clocks say.</summary>
    public long MomentFor(ImageName name, long nowUnixMs) =>
        Find(name) is { } known ? Math.Max(nowUnixMs, known.UnixMs + 1) : nowUnixMs;
}
