namespace Crashcart.Image;

/// <summary>What the person who builds an image says beside the recipe; null leaves it to the recipe.</summary>
public sealed record BuildOptions
{
    /// <summary>The image file to write.</summary>
    public required string Output { get; init; }

    /// <summary>Debian's name of the machine that the image is for.</summary>
    public string? Architecture { get; init; }

    /// <summary>One of <see cref="FileSystem.Names"/>.</summary>
    public string? Format { get; init; }

    /// <summary><c>ALGORITHM[,LEVEL]</c>, as mkfs.erofs(1) and mksquashfs(1) know them.</summary>
    public string? Compression { get; init; }

    /// <summary>Whether manuals go in.</summary>
    public bool? Docs { get; init; }

    /// <summary>A file of apt sources, sources.list(5), ending in <c>.list</c> or <c>.sources</c>; null is the host's own.</summary>
    public string? Sources { get; init; }

    /// <summary>The lock; null is the one beside the recipe.</summary>
    public string? Lock { get; init; }

    /// <summary>Whether packages are resolved afresh and the lock written.</summary>
    public bool Update { get; init; }
}
