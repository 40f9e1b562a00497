using System.Text.Json;

namespace Crashcart.Image;

/// <summary>What an image says of itself, in <c>manifest.json</c>.</summary>
internal static class Manifest
{
    public const string Path = "manifest.json";

    public const string Modified = "Every program's and library's built-in paths lead into " + Tree.MountPoint
        + "; ld.so reads CC_ variables in place of LD_.";

    /// <param name="recipe">For the image's architecture.</param>
    /// <param name="release">The archive that the packages are from, like <c>Debian bookworm</c>.</param>
    /// <param name="packages">Those that the tree has files of.</param>
    /// <param name="tree">Complete but for this.</param>
    /// <param name="content">The tree's digest.</param>
    public static byte[] Write(Recipe recipe, string release, IReadOnlyList<PackageRecord> packages, Tree tree, string content) => JsonText.Of(writer =>
    {
        writer.WriteNumber("schema", 1);
        writer.WriteString("name", recipe.Name);
        writer.WriteString("architecture", recipe.Architecture);
        writer.WriteString("content", content);
        writer.WriteString("release", release);
        writer.WriteStartObject("environment");
        foreach (var (name, value) in recipe.Environment.OrderBy(v => v.Key, StringComparer.Ordinal))
            writer.WriteString(name, value);
        writer.WriteEndObject();
        writer.WriteStartArray("packages");
        foreach (var package in packages)
            Write(writer, package);
        writer.WriteEndArray();
        Write(writer, "executables", Executables(tree));
        Write(writer, "promises", recipe.Executables.Keys);
        writer.WriteString("modified", Modified);
    });

    private static void Write(Utf8JsonWriter writer, PackageRecord package)
    {
        writer.WriteStartObject();
        writer.WriteString("name", package.Name);
        writer.WriteString("version", package.Version);
        writer.WriteString("architecture", package.Architecture);
        writer.WriteString("sha256", package.Sha256);
        writer.WriteString("source", package.Source);
        writer.WriteString("sourceVersion", package.SourceVersion);
        writer.WriteString("licence", package.Licence ?? "see copyright");
        writer.WriteString("copyright", $"share/doc/{package.Name}/copyright");
        writer.WriteNumber("files", package.Files);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, IEnumerable<string> texts)
    {
        writer.WriteStartArray(name);
        foreach (var text in texts)
            writer.WriteStringValue(text);
        writer.WriteEndArray();
    }

    private static IEnumerable<string> Executables(Tree tree)
        => from entry in tree.Entries
           where entry.Key.StartsWith("bin/", StringComparison.Ordinal) && tree.FileAt(entry.Key) is { Executable: true }
           select entry.Key["bin/".Length..];
}
