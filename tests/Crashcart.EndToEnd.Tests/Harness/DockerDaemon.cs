using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>
/// A real dockerd of its own: its socket, data and cgroup are nobody else's, and nothing of it is left after it was
/// disposed. Its containers have no network but <c>lo</c>.
/// </summary>
public class DockerDaemon : IAsyncLifetime
{
    /// <summary>One range of host ids for every container's user namespace, away from any that the host may use.</summary>
    public const int RemappedId = 1_300_000;

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(180);

    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly bool _remapped;
    private readonly string[] _options;
    private RunningCommand? _process;
    private int _names;

    public DockerDaemon()
        : this(remapped: false)
    {
    }

    /// <param name="remapped">Containers get a user namespace of their own (<c>--userns-remap</c>).</param>
    /// <param name="options">More of dockerd's own.</param>
    protected DockerDaemon(bool remapped, params string[] options)
    {
        _remapped = remapped;
        _options = options;
    }

    /// <summary>As DOCKER_HOST has it.</summary>
    public string Host => $"unix://{_directory["docker.sock"]}";

    private string CgroupParent => Path.GetFileName(_directory.Path);

    public async Task InitializeAsync()
    {
        await StartDaemon();
        await TestImages.Import(this);
    }

    public async Task DisposeAsync()
    {
        var containers = await Docker("ps", "-aq").Output();
        if (containers.Length > 0)
            await Docker(["rm", "-f", .. containers.Split('\n')]).Output();
        await StopDaemon();
        await Unmount();
        await RemoveCgroups();
        await _directory.DisposeAsync();
    }

    /// <summary>A docker(1) command line for this daemon.</summary>
    internal Command Docker(params string[] arguments) => new("docker", ["--host", Host, .. arguments])
    {
        Environment = new Dictionary<string, string?>
        {
            ["DOCKER_HOST"] = null,
            ["DOCKER_CONTEXT"] = null,
            ["DOCKER_CONFIG"] = _directory.Path,
        },
    };

    /// <summary><c>docker run -d</c> without network; <paramref name="options"/> come before the image.</summary>
    internal Task<Container> RunBusybox(params string[] options) => Run(TestImages.Busybox, options);

    /// <summary>As <see cref="RunBusybox"/>, with an image that has one file.</summary>
    internal Task<Container> RunScratch(params string[] options) => Run(TestImages.Scratch, options);

    internal async Task<Container> Run(string image, string[] options, string[]? command = null)
    {
        var name = $"box-{Interlocked.Increment(ref _names)}";
        string[] network = options.Contains("--network") ? [] : ["--network", "none"];
        var id = await Docker(["run", "-d", "--name", name, .. network, .. options, image, .. command ?? []]).Output();
        return await Container.Inspect(this, id);
    }

    /// <summary>Ends dockerd, and containers with it, as a stop of its service does.</summary>
    internal async Task StopDaemon()
    {
        await using var process = _process!;
        process.Signal(LibC.SIGTERM);
        await process.Result();
    }

    /// <summary><c>kill -9</c> of dockerd alone.</summary>
    internal async Task KillDaemon()
    {
        await using var process = _process!;
        process.Signal(LibC.SIGKILL);
        await process.Result();
    }

    /// <summary>Sends dockerd a signal and waits for nothing.</summary>
    internal void Signal(int signal) => _process!.Signal(signal);

    internal async Task StartDaemon()
    {
        _process = DaemonCommand().Start();
        await Eventually.Holds(
            async () => _process.HasExited || (await Docker("version").Run()).ExitCode == 0,
            () => $"dockerd answers; it said: {_process.ErrorSoFar}",
            StartPatience);
        if (_process.HasExited)
            throw new InvalidOperationException($"dockerd did not start: {await _process.Result()}");
    }

    private Command DaemonCommand()
    {
        string[] dockerd =
        [
            "dockerd", "--bridge=none", "--iptables=false", "--ip6tables=false", "--log-level=warn",
            "--host", Host, "--pidfile", _directory["pid"],
            "--data-root", _directory["data"], "--exec-root", _directory["exec"],
            "--cgroup-parent", $"/{CgroupParent}", .. _options,
        ];
        if (!_remapped)
            return new Command("env", ["--unset=DOCKER_HOST", .. dockerd]);

        // The ids to map are read from /etc/subuid and /etc/subgid; this daemon sees files of ours there, the host does not.
        File.SetUnixFileMode(_directory.Path, File.GetUnixFileMode(_directory.Path) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        File.WriteAllText(_directory["subuid"], $"nobody:{RemappedId}:65536\n");
        File.WriteAllText(_directory["subgid"], $"nobody:{RemappedId}:65536\n");
        const string OverEtc = "mount --bind $0/subuid /etc/subuid && mount --bind $0/subgid /etc/subgid && exec \"$@\"";
        return new Command("unshare", ["--mount", "sh", "-c", OverEtc, _directory.Path, .. dockerd, "--userns-remap=nobody:nogroup"]);
    }

    /// <summary>dockerd leaves the network namespace that it mounted for <c>--network host</c>.</summary>
    private async Task Unmount()
    {
        var mountPoints = File.ReadLines("/proc/self/mountinfo").Select(line => line.Split(' ')[4]);
        foreach (var mountPoint in mountPoints.Where(path => path.StartsWith(_directory.Path, StringComparison.Ordinal)).Reverse())
            await new Command("umount", mountPoint).Output();
    }

    private async Task RemoveCgroups()
    {
        foreach (var hierarchy in HostState.CgroupHierarchies())
        {
            var cgroup = Path.Combine(hierarchy, CgroupParent);
            if (!Directory.Exists(cgroup))
                continue;
            await Eventually.Holds(() => RemoveTree(cgroup), $"{cgroup} can be removed");
        }
    }

    private static bool RemoveTree(string cgroup)
    {
        foreach (var child in Directory.GetDirectories(cgroup))
            RemoveTree(child);
        try { Directory.Delete(cgroup); return true; } catch (IOException) { return false; }
    }
}

/// <summary>A dockerd whose containers have a user namespace of their own.</summary>
public sealed class RemappedDockerDaemon() : DockerDaemon(remapped: true);

/// <summary>A dockerd whose containers go on without it (<c>--live-restore</c>).</summary>
public sealed class LiveRestoringDockerDaemon() : DockerDaemon(remapped: false, "--live-restore");
