namespace Crashcart.Actors.Images;

/// <summary>How a person names an image.</summary>
public abstract record ImageReference
{
    private ImageReference()
    {
    }

    public sealed record Named(ImageName Name) : ImageReference
    {
        public override string ToString() => Name.Value;
    }

    /// <param name="Hex">The first digits of a digest, or all of them.</param>
    public sealed record Digest(string Hex) : ImageReference
    {
        public bool Matches(ImageDigest digest) => digest.Hex.StartsWith(Hex, StringComparison.Ordinal);

        public override string ToString() => $"sha256:{Hex}";
    }

    /// <summary>Reads NAME[:TAG], or <c>sha256:</c> and the first digits of a digest.</summary>
    /// <returns>Null when it is neither; then <paramref name="problem"/> is a sentence.</returns>
    public static ImageReference? TryParse(string text, out string problem)
    {
        problem = "";
        if (ImageDigest.TryParsePrefix(text, out string hex))
            return new Digest(hex);
        if (ImageName.TryParse(text, out ImageName name, out string wrong))
            return new Named(name);
        problem = $"'{text}' names no image: {wrong}. Write NAME[:TAG], or sha256: and the first digits of a digest.";
        return null;
    }
}
