namespace Crashcart.Image;

/// <summary>What goes into an image. Paths are relative to the image's root; a glob's <c>*</c> matches slashes too.</summary>
public sealed record Recipe
{
    /// <summary>The image's name, as the manifest states it.</summary>
    public required string Name { get; init; }

    /// <summary>What <see cref="RecipeLoader"/> found it by; null when it is from nowhere.</summary>
    internal string? Source { get; init; }

    /// <summary>Recipes that this one is laid over: names of shipped ones, or files beside this one.</summary>
    public IReadOnlyList<string> Include { get; init; } = [];

    /// <summary>
    /// Debian packages, see <see cref="PackageEntry"/>, each for all architectures or, as in <c>ltrace [amd64]</c>, for some. Those
    /// named here give all their files; packages that they depend on give only the shared libraries that something needs.
    /// </summary>
    public IReadOnlyList<string> Packages { get; init; } = [];

    /// <summary>
    /// Programs that the image promises in <c>bin</c>, for all architectures or for some as packages are, each with the arguments that make it end with status 0 in an empty
    /// root; null means that it cannot be started there. <c>lsfd?</c> is promised where the release has it.
    /// </summary>
    public IReadOnlyDictionary<string, string?> Executables { get; init; } = new Dictionary<string, string?>();

    /// <summary>Globs of libraries that programs open at run time, so that nothing in an ELF file names them.</summary>
    public IReadOnlyList<string> Load { get; init; } = [];

    /// <summary>Globs of files to leave out.</summary>
    public IReadOnlyList<string> Drop { get; init; } = [];

    /// <summary>Globs of files to keep although <see cref="Drop"/> matches them.</summary>
    public IReadOnlyList<string> Keep { get; init; } = [];

    /// <summary>Symbolic links: path and the path that it leads to, or a glob that one path matches.</summary>
    public IReadOnlyDictionary<string, string> Links { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Directories of the host that many programs name, whole or as the beginning of a path, and where the image has each:
    /// a path that is not longer.
    /// </summary>
    public IReadOnlyDictionary<string, string> Directories { get; init; } = new Dictionary<string, string>();

    /// <summary>Files of the recipe's own: path and text.</summary>
    public IReadOnlyDictionary<string, string> Files { get; init; } = new Dictionary<string, string>();

    /// <summary>Replacements of paths that are built into programs.</summary>
    public IReadOnlyList<TextEdit> Edits { get; init; } = [];

    /// <summary>Programs that need arguments or environment to find what is theirs.</summary>
    public IReadOnlyDictionary<string, Wrapper> Wrappers { get; init; } = new Dictionary<string, Wrapper>();

    /// <summary>
    /// Globs of programs and globs of the host's paths that they may name although the image has those files elsewhere: see <see cref="PathLint"/>.
    /// </summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> LintAllow { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Variables for the tools, unless the session sets them.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>The kernel's name of the file system; null leaves the choice to the builder.</summary>
    public string? Format { get; init; }

    /// <summary>As the program that makes the file system understands it; null leaves the choice to the builder.</summary>
    public string? Compression { get; init; }

    /// <summary>Debian's name of the machine; null is this host's.</summary>
    public string? Architecture { get; init; }

    /// <summary>Whether manuals go in; null leaves the choice to the builder.</summary>
    public bool? Docs { get; init; }

    /// <summary>What comes in addition when manuals do; its name says nothing.</summary>
    public Recipe? WithDocs { get; init; }

    /// <summary>Everything of both; where both say something of one path or program, this recipe counts.</summary>
    internal Recipe Over(Recipe under) => this with
    {
        Packages = [.. under.Packages.Union(Packages)],
        Executables = Over(Executables, under.Executables),
        Load = [.. under.Load, .. Load],
        Drop = [.. under.Drop, .. Drop],
        Keep = [.. under.Keep, .. Keep],
        Links = Over(Links, under.Links),
        Directories = Over(Directories, under.Directories),
        Files = Over(Files, under.Files),
        Edits = [.. under.Edits, .. Edits],
        Wrappers = Over(Wrappers, under.Wrappers),
        LintAllow = Both(LintAllow, under.LintAllow),
        Environment = Over(Environment, under.Environment),
        Format = Format ?? under.Format,
        Compression = Compression ?? under.Compression,
        Architecture = Architecture ?? under.Architecture,
        Docs = Docs ?? under.Docs,
        WithDocs = WithDocs is not null && under.WithDocs is not null ? WithDocs.Over(under.WithDocs) : WithDocs ?? under.WithDocs,
    };

    /// <summary>What the recipe says for one architecture, with manuals or without.</summary>
    internal Recipe For(Architecture architecture, bool docs)
    {
        var whole = docs && WithDocs is not null ? WithDocs.Over(this) with { Name = Name } : this;
        return whole with
        {
            Packages = [.. whole.Packages.Select(p => PackageEntry.For(p, architecture)).OfType<string>().Distinct()],
            Executables = new SortedDictionary<string, string?>(
                Named(whole.Executables.Keys, architecture).ToDictionary(e => e.Name, e => whole.Executables[e.Entry]),
                StringComparer.Ordinal),
            Edits = [.. whole.Edits.Where(e => e.Architecture is null || e.Architecture == architecture.Name)],
            Architecture = architecture.Name,
            Docs = docs,
            WithDocs = null,
        };
    }

    /// <summary>The same, without the promises that a release need not keep and does not.</summary>
    internal Recipe Promising(Tree tree) => this with
    {
        Executables = new SortedDictionary<string, string?>(
            Executables.Select(e => (Name: e.Key.TrimEnd('?'), IsSure: !e.Key.EndsWith('?'), Arguments: e.Value))
                .Where(e => e.IsSure || tree.FileAt("bin/" + e.Name) is { Executable: true })
                .ToDictionary(e => e.Name, e => e.Arguments),
            StringComparer.Ordinal),
    };

    private static IEnumerable<(string Entry, string Name)> Named(IEnumerable<string> entries, Architecture architecture)
        => from entry in entries
           let name = ArchitectureList.For(entry, architecture)
           where name is not null
           select (entry, name);

    private static SortedDictionary<string, IReadOnlyList<string>> Both(
        IReadOnlyDictionary<string, IReadOnlyList<string>> upper, IReadOnlyDictionary<string, IReadOnlyList<string>> under)
        => new(
            upper.Concat(under).GroupBy(e => e.Key, e => e.Value, StringComparer.Ordinal)
                .ToDictionary(e => e.Key, e => (IReadOnlyList<string>)[.. e.SelectMany(paths => paths).Distinct()]),
            StringComparer.Ordinal);

    private static SortedDictionary<string, T> Over<T>(
        IReadOnlyDictionary<string, T> upper, IReadOnlyDictionary<string, T> under)
    {
        var both = new SortedDictionary<string, T>(under.ToDictionary(), StringComparer.Ordinal);
        foreach (var (key, value) in upper)
            both[key] = value;
        return both;
    }
}

/// <summary>Makes a program a script that starts the real one.</summary>
/// <param name="Arguments">Put before the user's.</param>
/// <param name="Environment">Variables, unless the user has set them.</param>
public sealed record Wrapper(IReadOnlyList<string> Arguments, IReadOnlyDictionary<string, string> Environment);
