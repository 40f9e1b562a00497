namespace Crashcart.Image;

/// <summary>Makes a toolbox image of a recipe, without privilege: packages, tree, relocation, checks, file system.</summary>
public sealed class ImageBuilder
{
    /// <summary>What is true of Debian's packages whatever the recipe: embedded, laid under every recipe.</summary>
    private readonly Recipe _knowledge = Debian();

    private readonly Recipe _whole;
    private readonly Recipe _recipe;
    private readonly BuildOptions _options;
    private readonly BuildLog _log;
    private readonly Architecture _architecture;
    private readonly byte[] _preload;
    private readonly HostProgram _dpkgDeb = HostProgram.Find("dpkg-deb", "dpkg");
    private readonly FileSystem _fileSystem;
    private readonly BuildTimes _times = new();

    /// <param name="recipe">What to put in.</param>
    /// <param name="options">Where they say something, they count and not the recipe.</param>
    /// <param name="log">Told of every step.</param>
    /// <exception cref="ImageBuildException">A program that a build needs is not installed; there are no such images.</exception>
    public ImageBuilder(Recipe recipe, BuildOptions options, BuildLog log)
    {
        var name = options.Architecture ?? recipe.Architecture;
        _architecture = name is null ? Architecture.Host : Architecture.Named(name);
        _fileSystem = FileSystem.Of(options.Format ?? recipe.Format);
        _preload = Resource.TryRead($"libcc-{_architecture.Name}.so") ?? throw new ImageBuildException(
            $"This crashcart has not what an image for {_architecture.Name} needs: build crashcart where a C compiler for that machine is "
            + $"installed (apt-get install gcc-{_architecture.Triplet.Replace('_', '-')} libc6-dev-{_architecture.Name}-cross).");
        _whole = recipe.Over(_knowledge);
        _recipe = _whole.For(_architecture, options.Docs ?? recipe.Docs ?? false);
        _options = options;
        _log = log;
    }

    /// <summary>Builds the image and puts it in its place, complete or not at all.</summary>
    /// <exception cref="ImageBuildException">One sentence, or a list of everything that is wrong with the tree.</exception>
    public async Task BuildAsync(CancellationToken cancel)
    {
        var output = Path.GetFullPath(_options.Output);
        if (!Directory.Exists(Path.GetDirectoryName(output)))
            throw new ImageBuildException($"Cannot write the image {output}: there is no such directory.");

        var (packages, release, made) = await FetchAsync(cancel);
        using var scratch = made;
        _times.End("packages");
        var (tree, records) = Assemble(packages, cancel);
        var recipe = _recipe.Promising(tree);
        SelfCheck.CheckFiles(tree, recipe, _architecture);
        var content = ContentDigest.Of(tree);
        var sbom = Sbom.Write(recipe, release, records, content);
        var manifest = Manifest.Write(recipe, release, records, tree, content);
        tree[Sbom.Path] = new TreeFile(Tree.NoPackage, sbom, Executable: false);
        tree[Manifest.Path] = new TreeFile(Tree.NoPackage, manifest, Executable: false);
        _times.End("checking files");

        var directory = scratch.Path + Tree.MountPoint;
        TreeWriter.Write(tree, directory);
        _times.End("writing");
        cancel.ThrowIfCancellationRequested();
        // Packed before programs are started: what they write there is no part of the image.
        Pack(directory, manifest, output, () =>
        {
            _times.End("packing");
            new StartCheck(scratch.Path, recipe, _log).Run(_architecture, cancel);
            _times.End("starting programs");
        }, cancel);
    }

    private async Task<(IReadOnlyList<DebPackage> Packages, string Release, Scratch Scratch)> FetchAsync(CancellationToken cancel)
    {
        using var cache = await BuildCache.OpenAsync(BuildCache.DefaultDirectory, _log, cancel);
        try
        {
            var (packages, release) = new PackageFetcher(_whole, _options, cache.Directory, _log, cancel).Fetch(_architecture);
            return (packages, release, cache.MakeScratch());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw BuildCache.NotWritable(cache.Directory, e);
        }
    }

    private (Tree Tree, IReadOnlyList<PackageRecord> Records) Assemble(IReadOnlyList<DebPackage> packages, CancellationToken cancel)
    {
        _log.Step($"Unpacking {packages.Count} packages");
        string[] names = [.. packages.Select(p => p.Name)];
        var assembler = new TreeAssembler(_recipe, _architecture, _recipe.Packages.SelectMany(entry => PackageEntry.Meant(entry, names)).ToHashSet());
        var unpacked = new List<UnpackedPackage>();
        // Several at one time, added in their order: where two have a link and a file of one path, that decides.
        var reading = packages.AsParallel().AsOrdered().WithDegreeOfParallelism(Math.Min(Environment.ProcessorCount, 8))
            .WithMergeOptions(ParallelMergeOptions.NotBuffered).WithCancellation(cancel)
            .Select(package => UnpackedPackage.Read(package, _dpkgDeb, cancel));
        foreach (var package in InnerFaults(reading))
        {
            _log.Live($"Unpacking packages: {unpacked.Count} of {packages.Count}, {package.Package.Name}");
            assembler.Add(package.Package, package.Entries);
            unpacked.Add(package with { Entries = [] });
        }

        _times.End("unpacking");
        _log.Live("Relocating");
        var tree = assembler.Tree;
        tree["lib/ld.so"] = new TreeLink("libc6", "lib/" + _architecture.Loader);
        new TreeRelocation(tree, _architecture, _recipe.Directories).Run(_recipe.Edits, _knowledge.Edits);
        tree["lib/libcc.so"] = new TreeFile(Tree.NoPackage, _preload, Executable: true);
        tree[Relocation.PreloadFile] = new TreeFile(
            Tree.NoPackage, System.Text.Encoding.ASCII.GetBytes(Tree.MountPoint + "/lib/libcc.so\n"), Executable: false);
        new Libraries(tree).Prune([.. _recipe.Load, "lib/ld.so", "lib/libcc.so"]);
        tree.RemoveDanglingLinks();
        if (_recipe.Environment.Count > 0)
            tree[SessionVariables.Path] = new TreeFile(Tree.NoPackage, SessionVariables.Text(_recipe), Executable: false);
        assembler.Finish(_knowledge);
        TreeRelocation.Scripts(tree, _log);
        tree.RemoveDanglingLinks();
        assembler.Licences.AddTo(tree);
        _times.End("relocating");
        return (tree, PackageRecord.Of(unpacked, tree));
    }

    /// <summary>What fails in parallel comes wrapped: the first failure is the one to tell.</summary>
    private static IEnumerable<T> InnerFaults<T>(ParallelQuery<T> query)
    {
        using var items = query.GetEnumerator();
        while (Next())
            yield return items.Current;

        bool Next()
        {
            try
            {
                return items.MoveNext();
            }
            catch (AggregateException e)
            {
                throw e.Flatten().InnerExceptions[0];
            }
        }
    }

    private void Pack(string directory, byte[] manifest, string output, Action check, CancellationToken cancel)
    {
        _log.Live($"Packing {Path.GetFileName(output)}");
        try
        {
            _fileSystem.Pack(directory, manifest, output, _options.Compression ?? Compression(), check, cancel);
            _log.Step($"{output}: {new FileInfo(output).Length / 1e6:F1} MB in {_times}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageBuildException($"Cannot write the image {output}: {e.Message}", e);
        }
    }

    /// <summary>What the recipe says of compression is meant for its own format.</summary>
    private string? Compression()
        => _options.Format is null || _options.Format == _recipe.Format ? _recipe.Compression : null;

    internal static Recipe Debian()
    {
        using var text = new StringReader(System.Text.Encoding.UTF8.GetString(Resource.Read("debian.yaml")));
        return RecipeReader.Read(text, "debian.yaml");
    }
}
