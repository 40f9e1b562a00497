using System.IO.Enumeration;

namespace Crashcart.Image;

/// <summary>Shared libraries of a tree: which file loads which, and which nothing loads.</summary>
internal sealed class Libraries(Tree tree)
{
    private const string Directory = "lib";

    /// <summary>Where the loader finds a library that a file is linked with; null when it does not.</summary>
    public string? Find(string library, string file, ElfFile elf)
    {
        var directories = elf.SearchPath.Select(d => InTree(d, file)).OfType<string>().Append(Directory);
        return directories.Select(d => $"{d}/{library}").FirstOrDefault(path => tree.FileAt(path) is { IsElf: true });
    }

    /// <summary>An entry of a search path as a path in the tree; null when it leads out of it.</summary>
    public static string? InTree(string directory, string file)
    {
        var origin = $"{Tree.MountPoint}/{Path.GetDirectoryName(file)}";
        var full = directory.Replace("${ORIGIN}", origin, StringComparison.Ordinal).Replace("$ORIGIN", origin, StringComparison.Ordinal);
        if (!full.StartsWith('/'))
            return null;
        full = Path.GetFullPath(full).TrimEnd('/');
        return full.StartsWith(Tree.MountPoint + "/", StringComparison.Ordinal) ? full[(Tree.MountPoint.Length + 1)..] : null;
    }

    /// <summary>Takes out every library of <c>lib</c> that no program loads; links to them stay.</summary>
    /// <param name="load">Globs of libraries that are loaded by name at run time.</param>
    public void Prune(IReadOnlyList<string> load)
    {
        var used = new HashSet<string>(StringComparer.Ordinal);
        foreach (var (path, _) in tree.Entries)
        {
            var loadedByName = load.Any(glob => FileSystemName.MatchesSimpleExpression(glob, path, ignoreCase: false));
            if ((!IsPlain(path) || loadedByName) && tree.FileAt(path) is { IsElf: true })
                Use(path, used);
        }

        foreach (var (path, _) in tree.Entries)
        {
            if (IsPlain(path) && !used.Contains(path) && tree.FileAt(path) is { IsElf: true })
                tree[path] = null;
        }
    }

    /// <summary>Marks a file, the links on the way to it and what it loads.</summary>
    private void Use(string path, HashSet<string> used)
    {
        while (used.Add(path))
        {
            if (tree[path] is TreeLink link)
            {
                path = link.Target;
                continue;
            }

            if (tree[path] is not TreeFile file)
                return;
            var elf = new ElfFile(file.Content, path);
            foreach (var needed in elf.Needed)
            {
                if (Find(needed, path, elf) is { } library)
                    Use(library, used);
            }

            return;
        }
    }

    /// <summary>A file directly in <c>lib</c>, where the loader looks by itself.</summary>
    private static bool IsPlain(string path) => Path.GetDirectoryName(path) == Directory;
}
