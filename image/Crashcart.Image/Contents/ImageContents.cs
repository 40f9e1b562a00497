using System.Text.Json;

namespace Crashcart.Image;

/// <summary>What an image says of itself, read from where its files are to be seen.</summary>
/// <param name="Json">The whole manifest.</param>
/// <param name="Name">The recipe's name.</param>
/// <param name="Architecture">Debian's name.</param>
/// <param name="Content">The digest of content that it states.</param>
/// <param name="Release">The archive that its packages are from.</param>
/// <param name="Packages">Name, version and licence of each.</param>
/// <param name="Executables">Names of the programs.</param>
public sealed record ImageContents(
    string Json,
    string Name,
    string Architecture,
    string Content,
    string Release,
    IReadOnlyList<(string Name, string Version, string Licence)> Packages,
    IReadOnlyList<string> Executables)
{
    private const long LargestManifest = 16 << 20;

    /// <summary>Whether the image says anything of itself.</summary>
    /// <param name="root">Where the image's files are.</param>
    public static bool AreIn(string root) => Path.Exists(Path.Combine(root, Manifest.Path));

    /// <param name="root">Where the image's files are; links are not followed.</param>
    /// <exception cref="ImageBuildException">There is no manifest, or it is not one that this version knows.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static ImageContents Read(string root)
    {
        var file = new FileInfo(Path.Combine(root, Manifest.Path));
        if (!file.Exists || file.LinkTarget is not null || file.Length > LargestManifest)
            throw new ImageBuildException($"It has no {Manifest.Path}, so 'crashcart image build' did not make it.");
        try
        {
            var json = File.ReadAllText(file.FullName);
            using var document = JsonDocument.Parse(json);
            var manifest = document.RootElement;
            if (manifest.GetProperty("schema").GetInt32() != 1)
                throw new ImageBuildException($"Its {Manifest.Path} has the schema {manifest.GetProperty("schema")}, and this crashcart knows 1.");
            return new ImageContents(
                json,
                Text(manifest, "name"),
                Text(manifest, "architecture"),
                Text(manifest, "content"),
                Text(manifest, "release"),
                [.. manifest.GetProperty("packages").EnumerateArray().Select(p => (Text(p, "name"), Text(p, "version"), Text(p, "licence")))],
                [.. manifest.GetProperty("executables").EnumerateArray().Select(e => e.GetString() ?? "")]);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new ImageBuildException($"Its {Manifest.Path} is damaged.", e);
        }
    }

    /// <summary>The digest of what is really there.</summary>
    /// <exception cref="IOException">A part of it cannot be read.</exception>
    public static string DigestOf(string root, CancellationToken cancel) => ContentDigest.Of(root, cancel);

    private static string Text(JsonElement element, string name) => element.GetProperty(name).GetString() ?? "";
}
