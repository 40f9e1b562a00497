namespace Crashcart.Image;

/// <summary>Decides which packages an image is made of, by a lock or afresh, and fetches those that the cache lacks.</summary>
internal sealed class PackageFetcher
{
    private readonly Recipe _recipe;
    private readonly BuildOptions _options;
    private readonly string _cacheDirectory;
    private readonly PackageCache _cache;
    private readonly BuildLog _log;
    private readonly CancellationToken _cancel;
    private readonly Dictionary<string, (AptRoot Root, Apt Apt)> _apts = [];

    /// <param name="recipe">For all architectures, with Debian's knowledge under it.</param>
    /// <param name="options">Say which sources and which lock.</param>
    /// <param name="cacheDirectory">Held by this build.</param>
    /// <param name="log">Told of every step.</param>
    /// <param name="cancel">Ends it.</param>
    public PackageFetcher(Recipe recipe, BuildOptions options, string cacheDirectory, BuildLog log, CancellationToken cancel)
    {
        _recipe = recipe;
        _options = options;
        _cacheDirectory = cacheDirectory;
        _cache = new PackageCache(cacheDirectory);
        _log = log;
        _cancel = cancel;
    }

    /// <returns>The packages, and the release that they are from.</returns>
    /// <exception cref="ImageBuildException">A lock does not apply, or a package cannot be had.</exception>
    public (IReadOnlyList<DebPackage> Packages, string Release) Fetch(Architecture architecture)
    {
        var place = LockPlace.Find(_options.Lock, _recipe.Source);
        var (packages, release) = _options.Update ? Renew(place, architecture) : Choose(place, architecture);
        try
        {
            Download(packages, architecture);
        }
        catch (ImageBuildException) when (!Apt(architecture).HasFetchedLists)
        {
            // The archive has moved on since an earlier build fetched the lists.
            Apt(architecture).FetchLists();
            (packages, release) = _options.Update ? Renew(place, architecture) : Choose(place, architecture);
            Download(packages, architecture);
        }

        _cache.DropUnused(DateTime.UtcNow);
        return ([.. packages.Select(p => new DebPackage(p.Name, p.Version, p.Sha256, _cache.Find(p)!))], release);
    }

    private (IReadOnlyList<LockedPackage> Packages, string Release) Choose(LockPlace? place, Architecture architecture)
    {
        if (place?.Read() is not { } locked)
        {
            if (_options.Lock is not null)
                throw new ImageBuildException($"There is no lock {_options.Lock}: write it with --update.");
            return (Apt(architecture).Resolve(Named(architecture)), Apt(architecture).Release());
        }

        var fault = locked.Fault(_recipe.Name, Named(architecture), architecture) ?? Foreign(place, locked, architecture) ?? Missing(locked, architecture);
        if (fault is null)
            return (locked.Packages[architecture.Name].Packages, locked.Release);
        if (place.MustApply)
            throw new ImageBuildException($"{place.Name} {fault}. Renew it with --update.");

        _log.Step($"Resolving packages afresh: {place.Name} {fault}");
        var resolved = Resolve(architecture);
        var written = Path.ChangeExtension(_options.Output, ".lock");
        var release = Apt(architecture).Release();
        Write(written, new LockFile(
            _recipe.Name, release, new Dictionary<string, LockedPackages> { [architecture.Name] = resolved }));
        _log.Step($"{written} pins what was found; --lock {written} builds the same again");
        return (resolved.Packages, release);
    }

    /// <returns>Why a lock's packages cannot be had; null when they can.</returns>
    private string? Missing(LockFile locked, Architecture architecture)
    {
        var missing = locked.Packages[architecture.Name].Packages.Where(p => _cache.Find(p) is null).ToList();
        if (missing.Count == 0)
            return null;
        var apt = Apt(architecture);
        var gone = apt.Unavailable(missing);
        if (gone.Count == 0)
            return null;
        return OtherRelease(locked, architecture) ?? $"pins what the archive has no more: {string.Join(", ", gone)}";
    }

    /// <summary>Whoever names sources wants their packages, not those of a built-in lock that happen to be in the cache.</summary>
    private string? Foreign(LockPlace place, LockFile locked, Architecture architecture)
        => place.MustApply || _options.Sources is null ? null : OtherRelease(locked, architecture);

    private string? OtherRelease(LockFile locked, Architecture architecture)
        => Apt(architecture).Release() is var here && here != locked.Release
            ? $"is for {locked.Release}, and the sources here are {here}'s"
            : null;

    /// <summary>Resolves for the architecture that was asked for, or for all, and writes the lock.</summary>
    private (IReadOnlyList<LockedPackage> Packages, string Release) Renew(LockPlace? place, Architecture architecture)
    {
        if (place?.Path is not { } path)
            throw new ImageBuildException("A recipe that is built in has no lock to renew: say by --lock FILE where to write one.");

        var wanted = _options.Architecture is null ? Architecture.All : [architecture];
        var kept = _options.Architecture is not null && place.Text is not null ? place.Read()!.Packages : new Dictionary<string, LockedPackages>();
        var packages = new Dictionary<string, LockedPackages>(kept);
        foreach (var each in wanted)
            packages[each.Name] = Resolve(each);
        var release = Apt(architecture).Release();
        Write(path, new LockFile(_recipe.Name, release, packages));
        _log.Step($"{path} pins {string.Join(" and ", wanted.Select(a => $"{packages[a.Name].Packages.Count} packages for {a.Name}"))}");
        return (packages[architecture.Name].Packages, release);
    }

    private LockedPackages Resolve(Architecture architecture)
    {
        var named = Named(architecture);
        return new LockedPackages(named, Apt(architecture).Resolve(named));
    }

    /// <summary>With manuals whether or not they are wanted, so that one lock does for both; what nothing needs is left out later.</summary>
    private IReadOnlyList<string> Named(Architecture architecture) => _recipe.For(architecture, docs: true).Packages;

    private void Download(IReadOnlyList<LockedPackage> packages, Architecture architecture)
    {
        var missing = packages.Where(p => _cache.Find(p) is null).ToList();
        if (missing.Count == 0)
            return;
        var total = missing.Sum(p => p.Size);
        _log.Step($"Fetching {missing.Count} packages, {total / 1e6:F1} MB");
        var (root, apt) = At(architecture);
        root.EmptyArchives();
        using (new DownloadProgress(root.Archives, missing.Count, total, _log))
            apt.Download(missing);

        // Named by its hash in the cache, so it does not matter how apt names it.
        var fetched = Directory.EnumerateFiles(root.Archives, "*.deb").ToDictionary(file => Path.GetFileName(file).Split('_')[0]);
        foreach (var package in missing)
        {
            _cache.Add(package, fetched.GetValueOrDefault(package.Name)
                ?? throw new ImageBuildException($"apt-get did not fetch {package}, and did not say why."));
        }
    }

    private Apt Apt(Architecture architecture) => At(architecture).Apt;

    private (AptRoot Root, Apt Apt) At(Architecture architecture)
    {
        if (_apts.TryGetValue(architecture.Name, out var known))
            return known;
        var root = new AptRoot(_cacheDirectory, architecture, _options.Sources);
        return _apts[architecture.Name] = (root, new Apt(root, _log, _cancel));
    }

    private static void Write(string path, LockFile content)
    {
        var partial = $"{path}.{Environment.ProcessId}.partial";
        try
        {
            File.WriteAllText(partial, content.ToString());
            File.Move(partial, path, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ImageBuildException($"Cannot write the lock {path}: {e.Message}", e);
        }
        finally
        {
            File.Delete(partial);
        }
    }
}
