using System.Globalization;
using System.Security.Cryptography;

namespace Crashcart.Image;

/// <summary>A kind of file system that an image can be: the same directory always gives the same bytes.</summary>
public abstract class FileSystem
{
    /// <summary>2025-01-01, the time of every file unless SOURCE_DATE_EPOCH says another; seconds.</summary>
    private const long DefaultEpoch = 1735689600;

    /// <summary>The first is the one that is meant when none is named.</summary>
    private static readonly IReadOnlyList<(string Name, Func<FileSystem> Create)> Known =
    [
        (Erofs.Name, () => new Erofs()),
        (Ext4.Name, () => new Ext4()),
        (Squashfs.Name, () => new Squashfs()),
    ];

    /// <summary>The kernel's names.</summary>
    public static IReadOnlyList<string> Names => [.. Known.Select(k => k.Name)];

    /// <summary>The time of every file, and of the image; seconds since 1970.</summary>
    internal static long Epoch
        => Environment.GetEnvironmentVariable("SOURCE_DATE_EPOCH") is not { Length: > 0 } given ? DefaultEpoch
            : long.TryParse(given, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds < int.MaxValue ? seconds
            : throw new ImageBuildException($"SOURCE_DATE_EPOCH is '{given}', and should be a number of seconds since 1970.");

    /// <exception cref="ImageBuildException">No such kind, or the program that makes it is not installed.</exception>
    internal static FileSystem Of(string? name)
    {
        var known = name is null ? Known[0] : Known.FirstOrDefault(k => k.Name == name);
        return known.Create is { } create
            ? create()
            : throw new ImageBuildException($"Images cannot be '{name}': {string.Join(", ", Names)} are the file systems.");
    }

    /// <param name="directory">The tree.</param>
    /// <param name="identity">The file system's UUID is made of it.</param>
    /// <param name="output">The image; replaced at once, when it is complete.</param>
    /// <param name="compression">As the program that packs understands it; null for what suits most.</param>
    /// <param name="check">Done when the image is complete, before it takes its place; may throw.</param>
    /// <param name="cancel">Kills that program, and leaves nothing.</param>
    internal void Pack(
        string directory, byte[] identity, string output, string? compression, Action check, CancellationToken cancel)
    {
        using var partial = PartialFile.Create(output);
        Make(directory, new Guid(SHA256.HashData(identity).AsSpan(0, 16)), partial.Path, compression, cancel);
        check();
        partial.Complete();
    }

    private protected abstract void Make(string directory, Guid uuid, string image, string? compression, CancellationToken cancel);
}
