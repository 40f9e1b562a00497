using System.Security.Cryptography;
using System.Text;

namespace Crashcart.Image;

/// <summary>
/// A digest of every path, kind and content of an image, but not of what is written about it. It is the same whatever file
/// system the image is.
/// </summary>
internal static class ContentDigest
{
    /// <summary>These tell the digest themselves.</summary>
    private static readonly string[] About = [Manifest.Path, Sbom.Path];

    public static string Of(Tree tree)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (path, entry) in tree.Entries.Where(e => !About.Contains(e.Key)))
        {
            if (entry is TreeLink link)
            {
                AddLink(hash, path, link.Target);
            }
            else if (entry is TreeFile file)
            {
                AddFile(hash, path, file.Executable, file.Content.Length);
                hash.AppendData(file.Content);
            }
        }

        return Text(hash);
    }

    /// <param name="root">Where an image is to be read; links in it are not followed.</param>
    /// <param name="cancel">Ends it.</param>
    /// <exception cref="IOException">A part of it cannot be read.</exception>
    public static string Of(string root, CancellationToken cancel)
    {
        var entries = new SortedDictionary<string, FileSystemInfo>(StringComparer.Ordinal);
        Collect(new DirectoryInfo(root), "", entries);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (path, entry) in entries.Where(e => !About.Contains(e.Key)))
        {
            cancel.ThrowIfCancellationRequested();
            if (entry.LinkTarget is { } target)
                AddLink(hash, path, Layout.Normalize(path, target));
            else
                AddFile(hash, path, (FileInfo)entry);
        }

        return Text(hash);
    }

    private static void Collect(DirectoryInfo directory, string path, SortedDictionary<string, FileSystemInfo> entries)
    {
        foreach (var entry in directory.EnumerateFileSystemInfos("*", new EnumerationOptions { AttributesToSkip = 0, IgnoreInaccessible = false }))
        {
            if (entry is DirectoryInfo { LinkTarget: null } inner)
                Collect(inner, $"{path}{entry.Name}/", entries);
            else
                entries[path + entry.Name] = entry;
        }
    }

    private static void AddFile(IncrementalHash hash, string path, FileInfo file)
    {
        AddFile(hash, path, file.UnixFileMode.HasFlag(UnixFileMode.UserExecute), file.Length);
        using var content = file.OpenRead();
        var buffer = new byte[1 << 16];
        for (int n; (n = content.Read(buffer)) > 0;)
            hash.AppendData(buffer.AsSpan(0, n));
    }

    private static void AddLink(IncrementalHash hash, string path, string target)
    {
        var content = Encoding.UTF8.GetBytes(target);
        hash.AppendData(Encoding.UTF8.GetBytes($"{path}\0link\0{content.Length}\0"));
        hash.AppendData(content);
    }

    private static void AddFile(IncrementalHash hash, string path, bool executable, long length)
        => hash.AppendData(Encoding.UTF8.GetBytes($"{path}\0{(executable ? "program" : "file")}\0{length}\0"));

    private static string Text(IncrementalHash hash) => "sha256:" + Convert.ToHexStringLower(hash.GetHashAndReset());
}
