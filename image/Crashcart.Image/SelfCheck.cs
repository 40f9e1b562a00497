namespace Crashcart.Image;

/// <summary>Finds what would only fail in a container: nothing that an image promises may need anything outside it.</summary>
internal static class SelfCheck
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    /// <summary>Checks interpreters, libraries, links and promised programs without running anything.</summary>
    /// <exception cref="ImageBuildException">Lists everything that is wrong.</exception>
    public static void CheckFiles(Tree tree, Recipe recipe, Architecture architecture)
    {
        var faults = new List<string>();
        foreach (var (path, file) in tree.Files.Where(f => f.Value.IsElf))
            faults.AddRange(Faults(tree, path, new ElfFile(file.Content, path), architecture));
        faults.AddRange(
            from entry in tree.Entries
            where entry.Value is TreeLink && tree.Resolve(entry.Key) is null
            select $"{entry.Key} is a link to {((TreeLink)entry.Value).Target}, which the image lacks");
        faults.AddRange(
            from name in recipe.Executables.Keys
            where tree.FileAt("bin/" + name) is not { Executable: true }
            select $"bin/{name} is promised and no package gives it, or nothing here can run it");
        Fail(faults);
    }

    /// <summary>
    /// Starts every promised program in a root that holds nothing but the image, as root by chroot(2), else in a user
    /// namespace.
    /// </summary>
    /// <param name="root">A directory that holds the tree below <see cref="Tree.MountPoint"/>.</param>
    /// <param name="recipe">Names the programs.</param>
    /// <param name="log">Told when this host allows neither.</param>
    /// <exception cref="ImageBuildException">Lists every program that does not start, and what it said.</exception>
    public static void StartPrograms(string root, Recipe recipe, BuildLog log)
    {
        if (RootChanger(root) is not { } changer)
        {
            log.Step("Programs were not started to check them: this user may not make a user namespace here");
            return;
        }

        // Every container has this one, and some tools do not start without it. A user may not make the device.
        File.WriteAllText(root + "/dev/null", "");
        var faults = new List<string>();
        var environment = SessionVariables.Of(recipe);
        foreach (var (name, arguments) in recipe.Executables)
        {
            if (arguments is null)
                continue;
            var words = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            var (status, said) = changer.Program.Try(
                [.. changer.Arguments, $"{Tree.MountPoint}/bin/{name}", .. words], StartLimit, environment);
            if (status is null)
                faults.Add($"{name} {arguments} did not end in {StartLimit.TotalSeconds} s");
            else if (status != 0)
                faults.Add($"{name} {arguments} ended with status {status}: {said}");
        }

        Fail(faults);
        log.Step($"Started {recipe.Executables.Count(e => e.Value is not null)} programs in an empty root");
    }

    private static IEnumerable<string> Faults(Tree tree, string path, ElfFile elf, Architecture architecture)
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

    private static (HostProgram Program, string[] Arguments)? RootChanger(string root)
    {
        if (Environment.IsPrivilegedProcess)
            return (HostProgram.Find("chroot", "coreutils"), [root]);
        if (HostProgram.TryFind("unshare") is not { } unshare)
            return null;
        string[] arguments = ["--user", "--map-root-user", "--root", root];
        var (status, _) = unshare.Try(["--user", "--map-root-user", "true"], StartLimit, new Dictionary<string, string>());
        return status == 0 ? (unshare, arguments) : null;
    }

    private static void Fail(List<string> faults)
    {
        if (faults.Count > 0)
            throw new ImageBuildException($"The image would not work:\n  {string.Join("\n  ", faults)}");
    }
}
