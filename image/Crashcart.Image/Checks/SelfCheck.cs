namespace Crashcart.Image;

/// <summary>Finds what would only fail in a container: nothing that an image promises may need anything outside it.</summary>
internal static class SelfCheck
{
    /// <summary>Checks interpreters, libraries, built-in paths, links and promised programs without running anything.</summary>
    /// <exception cref="ImageBuildException">Lists everything that is wrong.</exception>
    public static void CheckFiles(Tree tree, Recipe recipe, Architecture architecture)
    {
        var faults = new List<string>();
        foreach (var (path, file) in tree.Files.Where(f => f.Value.IsElf))
            faults.AddRange(Of(tree, path, new ElfFile(file.Content, path), architecture));
        faults.AddRange(new PathLint(tree, architecture, recipe.LintAllow).Faults());
        faults.AddRange(
            from entry in tree.Entries
            where entry.Value is TreeLink && tree.Resolve(entry.Key) is null
            select $"{entry.Key} is a link to {((TreeLink)entry.Value).Target}, which the image lacks");
        faults.AddRange(
            from name in recipe.Executables.Keys
            where tree.FileAt("bin/" + name) is not { Executable: true }
            select $"bin/{name} is promised and no package gives it, or nothing here can run it");
        Faults.Throw(faults);
    }

    private static IEnumerable<string> Of(Tree tree, string path, ElfFile elf, Architecture architecture)
    {
        if (elf.Machine != architecture.ElfMachine)
            yield return $"{path} is for another machine ({elf.Machine})";
        if (elf.Interpreter is { } interpreter && interpreter != Relocation.Interpreter)
            yield return $"{path} asks for {interpreter}";
        foreach (var directory in elf.SearchPath.Where(d => Libraries.InTree(d, path) is null))
            yield return $"{path} looks for libraries in {directory}";
        foreach (var needed in elf.Needed.Where(n => new Libraries(tree).Find(n, path, elf) is null))
            yield return $"{path} needs {needed}, which the image lacks";
    }
}
