using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Crashcart.Image;

/// <summary>What an image says of itself, in <c>manifest.json</c>.</summary>
internal static class Manifest
{
    public const string Path = "manifest.json";

    public static byte[] Write(Recipe recipe, Architecture architecture, IReadOnlyList<DebPackage> packages, Tree tree)
    {
        var files = tree.Entries.CountBy(e => e.Value.Package).ToDictionary();
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            writer.WriteStartObject();
            writer.WriteNumber("schema", 1);
            writer.WriteString("name", recipe.Name);
            writer.WriteString("architecture", architecture.Name);
            writer.WriteString("content", "sha256:" + Digest(tree));
            writer.WriteStartArray("packages");
            foreach (var package in packages.Where(p => files.ContainsKey(p.Name)))
            {
                writer.WriteStartObject();
                writer.WriteString("name", package.Name);
                writer.WriteString("version", package.Version);
                writer.WriteString("sha256", package.Sha256);
                writer.WriteNumber("files", files[package.Name]);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteStartArray("executables");
            foreach (var name in Executables(tree))
                writer.WriteStringValue(name);
            writer.WriteEndArray();
            writer.WriteStartArray("promises");
            foreach (var name in recipe.Executables.Keys)
                writer.WriteStringValue(name);
            writer.WriteEndArray();
            writer.WriteString("modified",
                $"Every program's and library's built-in paths lead into {Tree.MountPoint}; ld.so reads CC_ variables in place of LD_.");
            writer.WriteEndObject();
        }

        json.WriteByte((byte)'\n');
        return json.ToArray();
    }

    /// <summary>A digest of every path, kind, mode and content but the manifest's own.</summary>
    private static string Digest(Tree tree)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (path, entry) in tree.Entries)
        {
            var (kind, content) = entry switch
            {
                TreeLink link => ("link", Encoding.UTF8.GetBytes(link.Target)),
                TreeFile { Executable: true } file => ("program", file.Content),
                TreeFile file => ("file", file.Content),
                _ => throw new InvalidOperationException($"{path} is of no known kind."),
            };
            hash.AppendData(Encoding.UTF8.GetBytes($"{path}\0{kind}\0{content.Length}\0"));
            hash.AppendData(content);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static IEnumerable<string> Executables(Tree tree)
        => from entry in tree.Entries
           where entry.Key.StartsWith("bin/", StringComparison.Ordinal) && tree.FileAt(entry.Key) is { Executable: true }
           select entry.Key["bin/".Length..];
}
