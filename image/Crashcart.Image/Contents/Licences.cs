namespace Crashcart.Image;

/// <summary>Every package's copyright file, whether or not the package gives other files.</summary>
internal sealed class Licences
{
    private const string Documents = "usr/share/doc/";
    private const string Common = "usr/share/common-licenses/";

    private readonly Dictionary<string, DebEntry> _found = new(StringComparer.Ordinal);

    public void Note(string package, DebEntry entry)
    {
        // A package's whole document directory may be a link to another package's.
        if (entry.Path.StartsWith(Common, StringComparison.Ordinal) || entry.Path == $"{Documents}{package}/copyright"
            || entry.Path == Documents + package)
            _found[entry.Path] = entry;
    }

    /// <summary>Puts the licence of every package that the tree has files of into <c>share/doc</c>.</summary>
    public void AddTo(Tree tree)
    {
        var packages = tree.Entries.Select(e => e.Value.Package).Where(p => p != Tree.NoPackage).Distinct().ToList();
        foreach (var package in packages)
        {
            var copyright = Resolve($"{Documents}{package}/copyright")
                ?? throw new ImageBuildException($"The package {package} has no copyright file, so it cannot be passed on.");
            tree[$"share/doc/{package}/copyright"] = new TreeFile(package, copyright.Content, Executable: false);
        }

        foreach (var path in _found.Keys.Where(p => p.StartsWith(Common, StringComparison.Ordinal)))
        {
            if (Resolve(path) is { } licence)
                tree[path["usr/".Length..]] = new TreeFile(Tree.NoPackage, licence.Content, Executable: false);
        }
    }

    private DebFile? Resolve(string path)
    {
        for (var steps = 0; steps < 8; steps++)
        {
            if (_found.GetValueOrDefault(path) is DebFile file)
                return file;
            if (_found.GetValueOrDefault(path) is DebLink link)
                path = link.Target;
            else if (_found.GetValueOrDefault(Path.GetDirectoryName(path) ?? "") is DebLink directory)
                path = $"{directory.Target}/{Path.GetFileName(path)}";
            else
                return null;
        }

        return null;
    }
}
