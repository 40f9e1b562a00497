using System.Globalization;
using System.Text.RegularExpressions;

namespace Crashcart.Image;

/// <summary>
/// Finds and fetches packages by apt(8), from the host's own sources and with its keys, but in a private root: nothing of
/// the host's package state is read or changed, and no privilege is needed. apt checks the archive's signatures and every
/// package's hash; the hashes are checked again when a package goes into the cache.
/// </summary>
internal sealed partial class Apt(AptRoot root, BuildLog log, CancellationToken cancel)
{
    /// <summary>Lists older than this are fetched again.</summary>
    private static readonly TimeSpan ListsAge = TimeSpan.FromHours(1);

    private readonly HostProgram _get = HostProgram.Find("apt-get", "apt");
    private readonly HostProgram _cache = HostProgram.Find("apt-cache", "apt");

    /// <summary>Whether this build fetched the lists; the archive may have moved on since an earlier one did.</summary>
    public bool HasFetchedLists { get; private set; }

    /// <summary>The named packages and everything that they depend on.</summary>
    /// <param name="entries">As <see cref="PackageEntry"/> has them, for this architecture.</param>
    /// <exception cref="ImageBuildException">A package is unknown, or depends on what there is not.</exception>
    public IReadOnlyList<LockedPackage> Resolve(IReadOnlyList<string> entries) => WithLists(() =>
    {
        log.Live("Resolving packages");
        var names = Choose(entries);
        // apt does not list a package that it finds among the fetched ones.
        root.EmptyArchives();
        var output = _get.Run(
            ["install", "-q", "--no-install-recommends", "-o", "Acquire::ForceHash=SHA256", "--print-uris", .. names],
            root.Environment, cancel);
        var found = output.Split('\n').Where(line => line.StartsWith('\'')).Select(Parse).ToList();
        return found.Count > 0
            ? (IReadOnlyList<LockedPackage>)[.. found.OrderBy(p => p.Name, StringComparer.Ordinal)]
            : throw new ImageBuildException($"apt-get found nothing to install for {string.Join(' ', names)}: {output.Trim()}");
    });

    /// <summary>Those that the archive does not have in this version, or with another content.</summary>
    public IReadOnlyList<LockedPackage> Unavailable(IReadOnlyList<LockedPackage> packages)
    {
        EnsureLists();
        var gone = NotIn(Available(packages));
        if (gone.Count == 0 || HasFetchedLists)
            return gone;
        FetchLists();
        return NotIn(Available(packages));

        IReadOnlyList<LockedPackage> NotIn(HashSet<(string, string, string)> available)
            => [.. packages.Where(p => !available.Contains((p.Name, p.Version, p.Sha256)))];
    }

    /// <summary>The archive that the C library comes from, like <c>Debian bookworm</c>.</summary>
    public string Release()
    {
        EnsureLists();
        var origins = _get.Run(
                ["indextargets", "--format", "$(DESCRIPTION)|$(ORIGIN) $(CODENAME)", "Created-By: Packages"], root.Environment, cancel)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('|'))
            .ToLookup(pair => pair[0].Trim(), pair => pair[1].Trim());
        var sources = from line in _cache.Run(["madison", "libc6"], root.Environment, cancel).Split('\n')
                      let columns = line.Split('|')
                      where columns.Length == 3
                      from origin in origins[columns[2].Trim()]
                      select origin.Split('-')[0];
        return sources.FirstOrDefault()
            ?? throw new ImageBuildException("No source of apt has a C library, the package libc6, for this architecture: see --sources.");
    }

    /// <summary>Puts packages into the archives directory of the root.</summary>
    /// <exception cref="ImageBuildException">One cannot be fetched, or is not what the archive's signed list says.</exception>
    public void Download(IReadOnlyList<LockedPackage> packages)
        => _get.In(root.Archives).Run(
            ["download", "-q", "-o", "Acquire::ForceHash=SHA256", .. packages.Select(p => p.Exactly)], root.Environment, cancel);

    /// <exception cref="ImageBuildException">An archive does not answer, or its signature is not right.</exception>
    public void FetchLists()
    {
        log.Step("Fetching package lists");
        _get.Run(["update", "-q"], root.Environment, cancel);
        root.NoteListsFetched();
        HasFetchedLists = true;
    }

    /// <summary>Of alternatives the first that the sources have.</summary>
    private IReadOnlyList<string> Choose(IReadOnlyList<string> entries)
    {
        var choices = entries.Select(PackageEntry.Alternatives).Where(names => names.Count > 0).ToList();
        var known = Records(choices.Where(names => names.Count > 1).SelectMany(names => names)).Select(fields => fields["Package"]).ToHashSet();
        return
        [
            .. from names in choices
               select names.Count == 1 ? names[0] : names.FirstOrDefault(known.Contains)
                   ?? throw new ImageBuildException($"apt's sources have none of the packages {string.Join(", ", names)}, one of which the recipe wants."),
        ];
    }

    /// <summary>Does it with lists that are not old; when that fails with lists of an earlier build, again with new ones.</summary>
    private T WithLists<T>(Func<T> what)
    {
        EnsureLists();
        try
        {
            return what();
        }
        catch (ImageBuildException) when (!HasFetchedLists)
        {
            FetchLists();
            return what();
        }
    }

    private void EnsureLists()
    {
        if (DateTime.UtcNow - root.ListsFetched >= ListsAge)
            FetchLists();
    }

    private HashSet<(string Name, string Version, string Sha256)> Available(IReadOnlyList<LockedPackage> packages)
        => [.. Records(packages.Select(p => p.Name)).Select(fields => (fields["Package"], fields["Version"], fields["SHA256"]))];

    /// <summary>What the lists say of packages, of every version; nothing of those that they do not have.</summary>
    private IEnumerable<IReadOnlyDictionary<string, string>> Records(IEnumerable<string> names)
    {
        string[] asked = [.. names];
        if (asked.Length == 0)
            return [];
        // It fails when one name is unknown, and has then told of the others all the same.
        return from record in _cache.RunAnyway(["show", .. asked], root.Environment, cancel).Split("\n\n")
               let fields = DebControl.Parse(record)
               where fields.ContainsKey("Package") && fields.ContainsKey("SHA256")
               select fields;
    }

    /// <summary>One line of <c>apt-get --print-uris</c>.</summary>
    private static LockedPackage Parse(string line)
    {
        var match = UriLine().Match(line);
        return match.Success
            ? new LockedPackage(
                match.Groups["name"].Value,
                Uri.UnescapeDataString(match.Groups["version"].Value),
                match.Groups["architecture"].Value,
                long.Parse(match.Groups["size"].ValueSpan, CultureInfo.InvariantCulture),
                match.Groups["hash"].Value)
            : throw new ImageBuildException($"apt-get listed a package without a SHA-256 hash or in an unknown form: {line}");
    }

    [GeneratedRegex(@"^'[^']+' (?<name>[^ _/]+)_(?<version>[^ _/]+)_(?<architecture>[^ _/]+)\.deb (?<size>\d+) SHA256:(?<hash>[0-9a-f]{64})$")]
    private static partial Regex UriLine();
}
