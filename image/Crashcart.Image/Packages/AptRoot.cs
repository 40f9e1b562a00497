namespace Crashcart.Image;

/// <summary>
/// A private root for apt(8): its lists, its downloads and its configuration. Of the host's configuration only how to fetch
/// and where from is taken over: hooks would run what the host's administrator meant for the host.
/// </summary>
internal sealed class AptRoot
{
    private readonly string _root;
    private readonly AptSources _sources;
    private readonly Architecture _architecture;

    /// <param name="cacheDirectory">Where roots are.</param>
    /// <param name="architecture">The only one whose packages are seen.</param>
    /// <param name="sources">A file of sources; null for the host's.</param>
    /// <exception cref="ImageBuildException">apt is not installed; a source is to be believed without a signature.</exception>
    public AptRoot(string cacheDirectory, Architecture architecture, string? sources)
    {
        _architecture = architecture;
        sources = sources is null ? null : Path.GetFullPath(sources);
        var host = HostConfiguration();
        _sources = sources is null ? HostSources() : AptSources.Of(sources);
        _sources.RequireSigned();
        _root = Path.Combine(cacheDirectory, $"apt-{architecture.Name}{(sources is null ? "" : "-" + _sources.Digest[..16])}");
        Archives = Path.Combine(_root, "cache", "archives");
        Environment = new Dictionary<string, string> { ["APT_CONFIG"] = Path.Combine(_root, "apt.conf") };
        Make(host, sources);
    }

    /// <summary>Where apt puts packages that it has fetched.</summary>
    public string Archives { get; }

    public IReadOnlyDictionary<string, string> Environment { get; }

    /// <summary>When the lists of these very sources were fetched; the epoch when they never were.</summary>
    public DateTime ListsFetched
        => File.Exists(Stamp) && File.ReadAllText(Stamp) == _sources.Digest ? File.GetLastWriteTimeUtc(Stamp) : DateTime.UnixEpoch;

    private string Stamp => Path.Combine(_root, "updated");

    public void NoteListsFetched() => File.WriteAllText(Stamp, _sources.Digest);

    /// <summary>Takes out what an earlier build left there.</summary>
    public void EmptyArchives()
    {
        foreach (var file in Directory.EnumerateFiles(Archives, "*", SearchOption.AllDirectories))
            File.Delete(file);
    }

    private static HostProgram Configuration => HostProgram.Find("apt-config", "apt");

    private static string HostConfiguration()
        => Configuration.Run(["dump", "Acquire"]) + Configuration.Run(["dump", "Dir::Etc"]);

    private static AptSources HostSources()
    {
        var paths = Configuration.Run(["shell", "MAIN", "Dir::Etc::sourcelist/f", "PARTS", "Dir::Etc::sourceparts/d"])
            .Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => line.Split('=', 2))
            .ToDictionary(pair => pair[0], pair => pair[1].Trim('\''));
        return AptSources.OfHost(paths["MAIN"], paths["PARTS"]);
    }

    private void Make(string host, string? sources)
    {
        Directory.CreateDirectory(Path.Combine(_root, "state", "lists", "partial"));
        Directory.CreateDirectory(Path.Combine(Archives, "partial"));
        var status = Path.Combine(_root, "status");
        File.WriteAllText(status, "");
        File.WriteAllText(Environment["APT_CONFIG"], host + $$"""
            Dir::Etc::main "/dev/null";
            Dir::Etc::parts "/dev/null";
            {{(sources is null ? "" : $"Dir::Etc::sourcelist \"{sources}\";\nDir::Etc::sourceparts \"/dev/null\";")}}
            Dir::State "{{_root}}/state";
            Dir::State::status "{{status}}";
            Dir::Cache "{{_root}}/cache";
            Dir::Log "{{_root}}/log";
            APT::Architecture "{{_architecture.Name}}";
            APT::Architectures { "{{_architecture.Name}}"; };
            APT::Get::Assume-Yes "true";
            APT::Get::AllowUnauthenticated "false";
            APT::Sandbox::User "";
            Acquire::AllowInsecureRepositories "false";
            Acquire::AllowWeakRepositories "false";
            Acquire::AllowDowngradeToInsecureRepositories "false";
            Acquire::Languages "none";
            Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
            Acquire::Retries "3";
            Debug::NoLocking "true";

            """);
    }
}
