using System.Security.Cryptography;
using System.Text.RegularExpressions;

namespace Crashcart.Image;

/// <summary>
/// Finds and fetches packages by apt(8), from the host's own sources and with its keys, but in a private root: nothing of
/// the host's package state is read or changed, and no privilege is needed. apt checks the archive's signatures and every
/// package's hash; the hashes are checked here again.
/// </summary>
internal sealed partial class Apt
{
    /// <summary>Lists older than this are fetched again.</summary>
    private static readonly TimeSpan ListsAge = TimeSpan.FromHours(1);

    private readonly HostProgram _aptGet = HostProgram.Find("apt-get", "apt");
    private readonly TextWriter _log;
    private readonly CancellationToken _cancel;
    private readonly string _root;
    private readonly string _archives;
    private readonly string _packages;
    private readonly string _updated;
    private readonly Dictionary<string, string> _environment;

    public Apt(string cacheDirectory, Architecture architecture, TextWriter log, CancellationToken cancel)
    {
        _log = log;
        _cancel = cancel;
        _packages = Path.Combine(cacheDirectory, "packages");
        _root = Path.Combine(cacheDirectory, "apt-" + architecture.Name);
        _archives = Path.Combine(_root, "cache", "archives");
        _updated = Path.Combine(_root, "updated");
        _environment = new() { ["APT_CONFIG"] = Path.Combine(_root, "apt.conf") };
        MakeRoot(architecture);
    }

    /// <summary>The named packages and everything that they depend on, each in a file of the cache.</summary>
    /// <exception cref="ImageBuildException">A package is unknown, cannot be fetched or is not what the archive says.</exception>
    public IReadOnlyList<DebPackage> Fetch(IReadOnlyList<string> names)
    {
        var fresh = File.Exists(_updated) && DateTime.UtcNow - File.GetLastWriteTimeUtc(_updated) < ListsAge;
        if (!fresh)
            UpdateLists();

        try
        {
            return FetchListed(names);
        }
        catch (ImageBuildException) when (fresh)
        {
            // The archive may have moved on since the lists were fetched.
            UpdateLists();
            return FetchListed(names);
        }
    }

    private void UpdateLists()
    {
        _log.WriteLine("Fetching package lists");
        _aptGet.Run(["update"], _environment, _cancel);
        File.WriteAllText(_updated, "");
    }

    private List<DebPackage> FetchListed(IReadOnlyList<string> names)
    {
        var listed = Resolve(names);
        var missing = listed.Where(l => !File.Exists(CachePath(l))).ToList();
        if (missing.Count > 0)
            Download(names, listed, missing);
        return [.. listed.Select(l => new DebPackage(l.Name, l.Version, l.Sha256, CachePath(l)))];
    }

    /// <summary>The archives directory is empty between builds: apt does not list a package that it finds there.</summary>
    private List<Listed> Resolve(IReadOnlyList<string> names)
    {
        EmptyArchives();
        var output = _aptGet.Run([.. Install(names), "--print-uris"], _environment, _cancel);
        var listed = output.Split('\n').Where(line => line.StartsWith('\'')).Select(Listed.Parse).ToList();
        return listed.Count > 0
            ? [.. listed.OrderBy(l => l.Name, StringComparer.Ordinal)]
            : throw new ImageBuildException($"apt-get found nothing to install for {string.Join(' ', names)}: {output.Trim()}");
    }

    private void Download(IReadOnlyList<string> names, List<Listed> listed, List<Listed> missing)
    {
        _log.WriteLine($"Fetching {missing.Count} packages, {missing.Sum(l => l.Size) / 1e6:F1} MB");
        foreach (var known in listed.Except(missing))
            File.Copy(CachePath(known), Path.Combine(_archives, known.File));
        _aptGet.Run([.. Install(names), "--download-only"], _environment, _cancel);

        Directory.CreateDirectory(_packages);
        foreach (var package in missing)
        {
            var file = package.LocalFile ?? Path.Combine(_archives, package.File);
            var hash = Hash(file);
            if (hash != package.Sha256)
                throw new ImageBuildException(
                    $"{package.File} has the hash {hash}, but the archive's signed list says {package.Sha256}: it was not used.");
            var partial = CachePath(package) + ".partial";
            File.Copy(file, partial, overwrite: true);
            File.Move(partial, CachePath(package), overwrite: true);
        }

        EmptyArchives();
    }

    private static IEnumerable<string> Install(IReadOnlyList<string> names)
        => ["install", "-q", "--no-install-recommends", "-o", "Acquire::ForceHash=SHA256", .. names];

    private static string Hash(string file)
    {
        using var content = File.OpenRead(file);
        return Convert.ToHexStringLower(SHA256.HashData(content));
    }

    private string CachePath(Listed package) => Path.Combine(_packages, package.Sha256 + ".deb");

    private void EmptyArchives()
    {
        foreach (var file in Directory.EnumerateFiles(_archives))
            File.Delete(file);
    }

    private void MakeRoot(Architecture architecture)
    {
        Directory.CreateDirectory(Path.Combine(_root, "state", "lists", "partial"));
        Directory.CreateDirectory(Path.Combine(_archives, "partial"));
        var status = Path.Combine(_root, "status");
        File.WriteAllText(status, "");
        File.WriteAllText(_environment["APT_CONFIG"], $$"""
            Dir::State "{{_root}}/state";
            Dir::State::status "{{status}}";
            Dir::Cache "{{_root}}/cache";
            Dir::Log "{{_root}}/log";
            APT::Architecture "{{architecture.Name}}";
            APT::Architectures { "{{architecture.Name}}"; };
            APT::Get::Assume-Yes "true";
            APT::Sandbox::User "";
            APT::Update::Pre-Invoke { };
            Acquire::Languages "none";
            Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
            Acquire::Retries "3";
            Debug::NoLocking "true";

            """);
    }

    /// <summary>One line of <c>apt-get --print-uris</c>.</summary>
    private sealed partial record Listed(string Name, string Version, string Uri, string File, long Size, string Sha256)
    {
        /// <summary>apt uses a package of a <c>file:</c> source where it is.</summary>
        public string? LocalFile => Uri.StartsWith("file:", StringComparison.Ordinal) ? new Uri(Uri).LocalPath : null;

        public static Listed Parse(string line)
        {
            var match = Line().Match(line);
            if (!match.Success)
                throw new ImageBuildException($"apt-get listed a package without a SHA-256 hash or in an unknown form: {line}");
            var file = match.Groups["file"].Value;
            var parts = file.Split('_');
            return new Listed(
                parts[0],
                System.Uri.UnescapeDataString(parts[1]),
                match.Groups["uri"].Value,
                file,
                long.Parse(match.Groups["size"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture),
                match.Groups["hash"].Value);
        }

        [GeneratedRegex(@"^'(?<uri>[^']+)' (?<file>[^ _/]+_[^ _/]+_[^ _/]+\.deb) (?<size>\d+) SHA256:(?<hash>[0-9a-f]{64})$")]
        private static partial Regex Line();
    }
}
