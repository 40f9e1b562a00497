using System.IO.Enumeration;

namespace Crashcart.Image;

/// <summary>Applies <see cref="Relocation"/> and <see cref="Shebang"/> to a whole tree.</summary>
/// <param name="tree">Without anything of the recipe's own.</param>
/// <param name="architecture">The tree's.</param>
/// <param name="directories">As <see cref="Recipe.Directories"/> has them.</param>
internal sealed class TreeRelocation(Tree tree, Architecture architecture, IReadOnlyDictionary<string, string> directories)
{
    private readonly Relocation _relocation = new(architecture, directories);

    /// <param name="edits">Of constants in single files.</param>
    /// <param name="optional">Those of them that are left out when the image has no such file.</param>
    /// <exception cref="ImageBuildException">Lists every edit that does not fit its file.</exception>
    public void Run(IReadOnlyList<TextEdit> edits, IReadOnlyList<TextEdit> optional)
    {
        Loader();
        var faults = new List<string>();
        foreach (var edit in edits)
        {
            try
            {
                Apply(edit, optional.Contains(edit));
            }
            catch (ImageBuildException e)
            {
                faults.Add(e.Message);
            }
        }

        if (faults.Count > 0)
            throw new ImageBuildException(string.Join('\n', faults));
        foreach (var (path, _) in tree.Files.Where(f => f.Value.IsElf))
            Change(path, content => _relocation.Relocate(content, path));
    }

    /// <summary>
    /// Scripts that nothing in the image can run are left out of <c>bin</c>; elsewhere they are data, as modules of a language.
    /// </summary>
    public static void Scripts(Tree tree, BuildLog log)
    {
        var leftOut = new List<string>();
        foreach (var (path, file) in tree.Files.Where(f => f.Value is { Executable: true, IsScript: true }))
        {
            if (Shebang.Relocate(file.Content, tree) is { } script)
            {
                tree[path] = file with { Content = script };
            }
            else if (!path.StartsWith("bin/", StringComparison.Ordinal))
            {
                tree[path] = file with { Executable = false };
            }
            else
            {
                tree[path] = null;
                leftOut.Add(path);
            }
        }

        if (leftOut.Count > 0)
            log.Step($"Left out, for want of an interpreter: {string.Join(' ', leftOut)}");
    }

    private void Apply(TextEdit edit, bool optional)
    {
        var paths = Paths(edit.File);
        if (paths.Count == 0 && !optional)
            throw new ImageBuildException($"The recipe edits {edit.File}, which no package has.");
        foreach (var path in paths)
            Change(path, ForArchitecture(edit).Apply);
    }

    private List<string> Paths(string file)
        => file.Contains('*', StringComparison.Ordinal)
            ? [.. tree.Files.Select(f => f.Key).Where(path => FileSystemName.MatchesSimpleExpression(file, path, ignoreCase: false))]
            : tree.FileAt(file) is null ? [] : [file];

    /// <summary>A text may name the architecture's directory of libraries.</summary>
    private TextEdit ForArchitecture(TextEdit edit) => edit with
    {
        Variants = [.. edit.Variants.Select(v => v with { From = v.From.Replace("{triplet}", architecture.Triplet, StringComparison.Ordinal) })],
    };

    private void Loader()
    {
        var path = "lib/" + architecture.Loader;
        if (tree.FileAt(path) is null)
            throw new ImageBuildException($"No package of the recipe brings the dynamic loader {architecture.Loader}.");
        Change(path, _relocation.RelocateLoader);
    }

    private void Change(string path, Func<byte[], byte[]> edit)
    {
        var real = tree.Resolve(path)!;
        var file = (TreeFile)tree[real]!;
        tree[real] = file with { Content = edit(file.Content) };
    }
}
