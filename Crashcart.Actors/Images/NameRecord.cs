using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Images;

/// <summary>What a name meant from some moment on.</summary>
/// <param name="Digest">Null: the name was removed.</param>
/// <param name="UnixMs">When.</param>
public sealed record NameRecord(ImageName Name, ImageDigest? Digest, long UnixMs)
{
    /// <summary>
    /// Whether this counts and the other of the same name does not: the newer one, and of two of one moment the one with the
    /// greater digest. All coordinators choose alike, in whatever order they hear of them.
    /// </summary>
    public bool Beats(NameRecord other) =>
        UnixMs != other.UnixMs ? UnixMs > other.UnixMs : string.CompareOrdinal(Digest?.Hex, other.Digest?.Hex) > 0;

    public ImageNameRecord ToWire() => new() { Name = Name.Value, Digest = Digest?.ToString() ?? "", UnixMs = UnixMs };

    /// <summary>Null when it is malformed.</summary>
    public static NameRecord? FromWire(ImageNameRecord? record)
    {
        ImageDigest digest = default;
        return record is not null
            && ImageName.TryParse(record.Name, out ImageName name, out _)
            && (record.Digest.Length == 0 || ImageDigest.TryParse(record.Digest, out digest))
                ? new NameRecord(name, record.Digest.Length == 0 ? null : digest, record.UnixMs)
                : null;
    }
}
