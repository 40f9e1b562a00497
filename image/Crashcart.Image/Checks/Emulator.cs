namespace Crashcart.Image;

/// <summary>How a root's programs are started on this host: as they are, or by an emulator that is put into the root.</summary>
internal sealed class Emulator
{
    private const string Place = "/emulator";

    private readonly string _root;

    private Emulator(string root, bool isNeeded) => (_root, IsNeeded) = (root, isNeeded);

    /// <summary>False where the kernel starts these programs by itself.</summary>
    public bool IsNeeded { get; }

    /// <returns>Null when there is no emulator here for the architecture.</returns>
    public static Emulator? For(Architecture architecture, string root)
    {
        if (architecture == Architecture.Host || IsRegistered(architecture))
            return new Emulator(root, isNeeded: false);
        if (HostProgram.TryFind(architecture.Emulator) is not { } program)
            return null;
        File.Copy(program.Path, root + Place);
        return new Emulator(root, isNeeded: true);
    }

    /// <summary>A program of the image with its arguments; null for a script, whose interpreter the kernel would not find.</summary>
    public IEnumerable<string>? Command(string name, IReadOnlyList<string> arguments, Recipe recipe)
    {
        var path = $"{Tree.MountPoint}/bin/{name}";
        if (!IsNeeded)
            return [path, .. arguments];
        if (recipe.Wrappers.TryGetValue(name, out var wrapper))
            return [Place, $"{Tree.MountPoint}/wrapped/{name}", .. wrapper.Arguments, .. arguments];

        using var file = File.OpenRead(_root + path);
        return file.ReadByte() == '#' ? null : [Place, path, .. arguments];
    }

    /// <summary>Whether the kernel does it by binfmt_misc, with an emulator that it has opened, so that a root needs none.</summary>
    private static bool IsRegistered(Architecture architecture)
    {
        var entry = "/proc/sys/fs/binfmt_misc/" + architecture.Emulator.Replace("-static", "", StringComparison.Ordinal);
        return File.Exists(entry) && File.ReadLines(entry) is var lines
            && lines.Contains("enabled") && lines.Any(l => l.StartsWith("flags:", StringComparison.Ordinal) && l.Contains('F'));
    }
}
