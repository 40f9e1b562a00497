using System.IO.Enumeration;
using System.Text;

namespace Crashcart.Image;

/// <summary>Puts the packages' files, and then the recipe's own, into a tree.</summary>
/// <param name="recipe">For the architecture.</param>
/// <param name="architecture">The image's.</param>
/// <param name="named">The packages that give all their files.</param>
internal sealed class TreeAssembler(Recipe recipe, Architecture architecture, IReadOnlySet<string> named)
{
    private readonly Layout _layout = new(architecture);

    public Tree Tree { get; } = new();

    public Licences Licences { get; } = new();

    public void Add(DebPackage package, IReadOnlyList<DebEntry> entries)
    {
        foreach (var entry in entries)
        {
            Licences.Note(package.Name, entry);
            if (_layout.Map(entry.Path) is not { } path || !IsWanted(package, path))
                continue;
            if (entry is DebFile file)
                Put(path, new TreeFile(package.Name, file.Content, file.Executable));
            else if (entry is DebLink link && _layout.Map(link.Target) is { } target && target != path)
                Put(path, new TreeLink(package.Name, target));
        }
    }

    /// <summary>Adds links and files of the recipe and makes wrapped programs scripts.</summary>
    public void Finish(Recipe knowledge)
    {
        CertificateBundle.Make(Tree);
        foreach (var (path, text) in recipe.Files)
        {
            var script = text.StartsWith("#!", StringComparison.Ordinal);
            Tree[path] = new TreeFile(Tree.NoPackage, Encoding.UTF8.GetBytes(text), Executable: script);
        }

        Link();
        foreach (var (name, wrapper) in recipe.Wrappers)
        {
            if (Tree.Resolve("bin/" + name) is { } real && Tree[real] is TreeFile program)
                Wrap(name, real, program, wrapper);
            else if (!knowledge.Wrappers.ContainsKey(name))
                throw new ImageBuildException($"The recipe wraps {name}, which no package has.");
        }

        // Some lead to a wrapped program.
        var nowhere = Link().FirstOrDefault(path => !knowledge.Links.ContainsKey(path));
        if (nowhere is not null)
            throw new ImageBuildException($"The recipe's link {nowhere} leads to {recipe.Links[nowhere]}, which no package has.");
    }

    /// <returns>Links that lead nowhere and were not made.</returns>
    private List<string> Link()
    {
        var nowhere = new List<string>();
        foreach (var (path, wanted) in recipe.Links)
        {
            if (Find(wanted, path) is { } target)
                Tree[path] = new TreeLink(Tree.NoPackage, target);
            else
                nowhere.Add(path);
        }

        return nowhere;
    }

    private string? Find(string target, string link)
    {
        if (!target.Contains('*', StringComparison.Ordinal))
            return Tree.Resolve(target) is null ? null : target;
        string[] found = [.. Tree.Entries.Select(e => e.Key).Where(path => Matches([target], path))];
        return found.Length <= 1
            ? found.FirstOrDefault()
            : throw new ImageBuildException($"The recipe's link {link} may lead to each of {string.Join(' ', found)}: name one.");
    }

    private bool IsWanted(DebPackage package, string path)
    {
        if (!named.Contains(package.Name) && !IsLibrary(path) && !Matches(recipe.Load, path))
            return false;
        return !Matches(recipe.Drop, path) || Matches(recipe.Keep, path);
    }

    private static bool IsLibrary(string path)
        => path.StartsWith("lib/", StringComparison.Ordinal) && path.IndexOf('/', 4) < 0 && path.Contains(".so");

    private static bool Matches(IEnumerable<string> globs, string path)
        => globs.Any(glob => FileSystemName.MatchesSimpleExpression(glob, path, ignoreCase: false));

    private void Put(string path, TreeEntry entry)
    {
        switch (Tree[path], entry)
        {
            case (TreeFile, TreeLink):
                return;
            case (TreeFile { } first, TreeFile second) when !first.Content.AsSpan().SequenceEqual(second.Content):
                throw new ImageBuildException(
                    $"{path} is in both {first.Package} and {second.Package}: leave one out by 'drop' in the recipe.");
        }

        Tree[path] = entry;
    }

    private void Wrap(string name, string path, TreeFile program, Wrapper wrapper)
    {
        const string shell = "bin/busybox";
        if (Tree.FileAt(shell) is null)
            throw new ImageBuildException($"{name} needs a wrapper, which {shell} runs: add the package busybox to the recipe.");

        var real = "wrapped/" + name;
        var script = new StringBuilder($"#!{Tree.MountPoint}/{shell} sh\n");
        foreach (var (variable, value) in wrapper.Environment)
            script.Append($": \"${{{variable}={value}}}\"; export {variable}\n");
        script.Append($"exec {Tree.MountPoint}/{real}");
        foreach (var argument in wrapper.Arguments)
            script.Append($" '{argument.Replace("'", "'\\''", StringComparison.Ordinal)}'");
        script.Append(" \"$@\"\n");

        Tree[real] = program;
        Tree[path] = new TreeFile(Tree.NoPackage, Encoding.UTF8.GetBytes(script.ToString()), Executable: true);
    }
}
