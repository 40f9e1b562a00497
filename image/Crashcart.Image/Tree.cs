namespace Crashcart.Image;

/// <summary>One file or link of an image, and the package that it is from.</summary>
internal abstract record TreeEntry(string Package);

internal sealed record TreeFile(string Package, byte[] Content, bool Executable) : TreeEntry(Package)
{
    public bool IsElf => ElfFile.Is(Content);

    public bool IsScript => Content.AsSpan().StartsWith("#!"u8);
}

/// <param name="Package">As for every entry.</param>
/// <param name="Target">Path of a file, a link or a directory, from the image's root.</param>
internal sealed record TreeLink(string Package, string Target) : TreeEntry(Package);

/// <summary>An image's files in memory, by path from its root, in the order of their bytes.</summary>
internal sealed class Tree
{
    /// <summary>Where the tree is mounted, in every container.</summary>
    public const string MountPoint = "/dev/crashcart";

    /// <summary>The package of entries that come from no package.</summary>
    public const string NoPackage = "";

    /// <summary>As the kernel has it, see path_resolution(7).</summary>
    private const int LongestChain = 40;

    private readonly SortedDictionary<string, TreeEntry> _entries = new(StringComparer.Ordinal);

    /// <summary>A snapshot: the tree may be changed while it is walked.</summary>
    public IReadOnlyList<KeyValuePair<string, TreeEntry>> Entries => [.. _entries];

    public IEnumerable<KeyValuePair<string, TreeFile>> Files
        => from entry in Entries where entry.Value is TreeFile select KeyValuePair.Create(entry.Key, (TreeFile)entry.Value);

    public TreeEntry? this[string path]
    {
        get => _entries.GetValueOrDefault(path);
        set
        {
            if (value is null)
                _entries.Remove(path);
            else
                _entries[path] = value;
        }
    }

    public bool IsDirectory(string path)
        => path.Length == 0 || _entries.Keys.Any(key => key.StartsWith(path + "/", StringComparison.Ordinal));

    /// <summary>Follows links, in the last and in earlier components; null when they lead nowhere.</summary>
    public string? Resolve(string path)
    {
        for (var steps = 0; steps < LongestChain; steps++)
        {
            if (LinkOnTheWay(path) is not (var link, var below))
                return _entries.ContainsKey(path) || IsDirectory(path) ? path : null;
            path = below.Length == 0 ? link.Target : link.Target + "/" + below;
        }

        return null;
    }

    /// <summary>The file that a path leads to; null when there is none.</summary>
    public TreeFile? FileAt(string path) => Resolve(path) is { } real ? this[real] as TreeFile : null;

    /// <summary>Takes out every link that leads nowhere.</summary>
    public void RemoveDanglingLinks()
    {
        foreach (var (path, _) in Entries.Where(e => e.Value is TreeLink && Resolve(e.Key) is null))
            _entries.Remove(path);
    }

    private (TreeLink Link, string Below)? LinkOnTheWay(string path)
    {
        for (var end = path.IndexOf('/'); ; end = path.IndexOf('/', end + 1))
        {
            if (this[end < 0 ? path : path[..end]] is TreeLink link)
                return (link, end < 0 ? "" : path[(end + 1)..]);
            if (end < 0)
                return null;
        }
    }
}
