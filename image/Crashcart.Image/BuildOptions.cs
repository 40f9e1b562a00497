namespace Crashcart.Image;

/// <summary>What the person who builds an image says beside the recipe; null leaves it to the recipe.</summary>
public sealed record BuildOptions
{
    /// <summary>The image file to write.</summary>
    public required string Output { get; init; }

    /// <summary>Debian's name of the machine that the image is for.</summary>
    public string? Architecture { get; init; }

    /// <summary>Whether manuals go in.</summary>
    public bool? Docs { get; init; }
}
