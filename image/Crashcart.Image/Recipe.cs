namespace Crashcart.Image;

/// <summary>What goes into an image. Paths are relative to the image's root; a glob's <c>*</c> matches slashes too.</summary>
public sealed record Recipe
{
    /// <summary>The image's name, as the manifest states it.</summary>
    public required string Name { get; init; }

    /// <summary>
    /// Debian packages. Those named here give all their files; packages that they depend on give only the shared
    /// libraries that something needs.
    /// </summary>
    public IReadOnlyList<string> Packages { get; init; } = [];

    /// <summary>
    /// Programs that the image promises in <c>bin</c>, each with the arguments that make it end with status 0 in an empty
    /// root; null means that it cannot be started there.
    /// </summary>
    public IReadOnlyDictionary<string, string?> Executables { get; init; } = new Dictionary<string, string?>();

    /// <summary>Globs of libraries that programs open at run time, so that nothing in an ELF file names them.</summary>
    public IReadOnlyList<string> Load { get; init; } = [];

    /// <summary>Globs of files to leave out.</summary>
    public IReadOnlyList<string> Drop { get; init; } = [];

    /// <summary>Globs of files to keep although <see cref="Drop"/> matches them.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>Symbolic links: path and the path that it leads to.</summary>
    public IReadOnlyDictionary<string, string> Links { get; init; } = new Dictionary<string, string>();

    /// <summary>Files of the recipe's own: path and text.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    /// <summary>Replacements of paths that are built into programs.</summary>
    public IReadOnlyList<TextEdit> Edits { get; init; } = [];

    /// <summary>Programs that need arguments or environment to find what is theirs.</summary>
    public IReadOnlyDictionary<string, Wrapper> Wrappers { get; init; } = new Dictionary<string, Wrapper>();

    /// <summary>Everything of both; where both say something of one path or program, this recipe counts.</summary>
    internal Recipe Over(Recipe under) => this with
    {
        Packages = [.. under.Packages.Union(Packages)],
        Executables = Over(Executables, under.Executables),
        Load = [.. under.Load, .. Load],
        Drop = [.. under.Drop, .. Drop],
        Keep = [.. under.Keep, .. Keep],
        Links = Over(Links, under.Links),
        Files = Over(Files, under.Files),
        Edits = [.. under.Edits, .. Edits],
        Wrappers = Over(Wrappers, under.Wrappers),
    };

    private static SortedDictionary<string, T> Over<T>(
        IReadOnlyDictionary<string, T> upper, IReadOnlyDictionary<string, T> under)
    {
        var both = new SortedDictionary<string, T>(under.ToDictionary(), StringComparer.Ordinal);
        foreach (var (key, value) in upper)
            both[key] = value;
        return both;
    }

    /// <summary>Reads a recipe file.</summary>
    /// <exception cref="ImageBuildException">No such file, or not a recipe; says the line and the column.</exception>
    public static Recipe FromFile(string path)
    {
        try
        {
            using var text = File.OpenText(path);
            return RecipeReader.Read(text, path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageBuildException($"Cannot read the recipe {path}: {e.Message}", e);
        }
    }
}

/// <summary>One string constant of a program, replaced by a string that is not longer.</summary>
/// <param name="File">The program or library.</param>
/// <param name="From">The whole constant, without its terminating NUL.</param>
/// <param name="To">Its replacement; the rest is filled with NULs.</param>
/// <param name="Count">How often the constant must occur: another count stops the build.</param>
public sealed record TextEdit(string File, string From, string To, int Count);

/// <summary>Makes a program a script that starts the real one.</summary>
/// <param name="Arguments">Put before the user's.</param>
/// <param name="Environment">Variables, unless the user has set them.</param>
public sealed record Wrapper(IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment);
