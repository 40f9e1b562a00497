namespace Crashcart.Actors.Images;

/// <summary>What an image is known by: the sha256 of its bytes. Only <see cref="TryParse"/> and <see cref="Of"/> make one.</summary>
public readonly record struct ImageDigest
{
    private const string Prefix = "sha256:";
    private const int HexDigits = 64;
    private const int ShortDigits = 12;

    private ImageDigest(string hex) => Hex = hex;

    /// <summary>64 hex digits, lower case: safe as a part of a file's or an actor's name.</summary>
    public string Hex { get; }

    /// <summary>As short as docker(1) prints ids.</summary>
    public string Abbreviated => Prefix + Hex[..ShortDigits];

    /// <param name="hash">32 bytes.</param>
    public static ImageDigest Of(ReadOnlySpan<byte> hash)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(hash.Length, HexDigits / 2);
        return new ImageDigest(Convert.ToHexStringLower(hash));
    }

    /// <summary>Reads <c>sha256:</c> and 64 hex digits.</summary>
    public static bool TryParse(string text, out ImageDigest digest)
    {
        bool isRight = TryParsePrefix(text, out string hex) && hex.Length == HexDigits;
        digest = isRight ? new ImageDigest(hex) : default;
        return isRight;
    }

    /// <summary>Reads <c>sha256:</c> and one to 64 hex digits.</summary>
    internal static bool TryParsePrefix(string text, out string hex)
    {
        hex = text.StartsWith(Prefix, StringComparison.Ordinal) ? text[Prefix.Length..] : "";
        return hex.Length is > 0 and <= HexDigits && hex.All(char.IsAsciiHexDigitLower);
    }

    public override string ToString() => Prefix + Hex;
}
