using System.Net;
using System.Net.Sockets;
using System.Text.Json;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A fleet of real processes on this machine: nodes, each with a Docker daemon of its own, and coordinators.</summary>
public class FleetHost : IAsyncLifetime
{
    private const string Loopback = "127.0.0.1";

    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly string[] _addresses;
    private readonly string[] _streamAddresses;
    private readonly string[] _clientAddresses;
    private readonly bool _isSecured;
    private readonly string? _policy;
    private readonly PrivateNetwork? _network;
    private readonly int _linger;
    private readonly string[] _coordinatorOptions;
    private readonly string[] _nodeOptions;

    public FleetHost()
        : this(["alpha", "beta"], coordinators: 2)
    {
    }

    /// <param name="nodes">Their names.</param>
    /// <param name="coordinators">How many.</param>
    /// <param name="isParted">Every daemon has a network namespace of its own, and the lines between them can be cut.</param>
    /// <param name="docker">Makes the daemon of a node; null: as it is by default.</param>
    /// <param name="linger">Seconds for which nodes keep images attached; with 0 a loop device that is left is a leak.</param>
    /// <param name="isSecured">Members speak TLS, and coordinators take clients by TCP too.</param>
    /// <param name="policy">Of each coordinator; null: none has one.</param>
    /// <param name="coordinatorOptions">More of each coordinator's.</param>
    /// <param name="nodeOptions">More of each node's.</param>
    protected FleetHost(
        string[] nodes,
        int coordinators,
        bool isParted = false,
        Func<DockerDaemon>? docker = null,
        int linger = 0,
        bool isSecured = false,
        string? policy = null,
        string[]? coordinatorOptions = null,
        string[]? nodeOptions = null)
    {
        (_linger, _isSecured, _policy) = (linger, isSecured, policy);
        Authority = new Authority(_directory["tls"]);
        (_coordinatorOptions, _nodeOptions) = (coordinatorOptions ?? [], nodeOptions ?? []);
        _network = isParted ? new PrivateNetwork([.. Enumerable.Range(0, coordinators).Select(NameOf), .. nodes]) : null;
        _addresses = [.. Enumerable.Range(0, coordinators).Select(index => Address(NameOf(index)))];
        _streamAddresses = [.. _addresses.Select(address => isParted ? $"{address.Split(':')[0]}:0" : Daemon.FreeAddress())];
        _clientAddresses = [.. _addresses.Select(_ => Daemon.FreeAddress())];
        Coordinators = [.. Enumerable.Range(0, coordinators).Select(index => new Daemon(() => Coordinator(index)))];
        Nodes = [.. nodes.Select(name => new FleetNode(name, docker?.Invoke() ?? new DockerDaemon()))];
    }

    internal string Image => _directory["crashcart.img"];

    /// <summary>Who the fleet's members and users are.</summary>
    internal Authority Authority { get; }

    internal IReadOnlyList<FleetNode> Nodes { get; }

    internal IReadOnlyList<Daemon> Coordinators { get; }

    /// <summary>Of a fleet that is parted.</summary>
    internal PrivateNetwork Network => _network!;

    /// <summary>Where the first coordinator answers clients.</summary>
    internal EndPoint ClientEndPoint => new UnixDomainSocketEndPoint(Socket(0));

    /// <summary>Where it answers nodes that have a session's bytes; not of a fleet that is parted.</summary>
    internal EndPoint StreamEndPoint => IPEndPoint.Parse(_streamAddresses[0]);

    public async Task InitializeAsync()
    {
        File.Copy(Artifacts.Image, Image);
        if (_network is not null)
            await _network.Make();
        await Task.WhenAll(Nodes.Select(node => node.Docker.InitializeAsync()));
        if (_isSecured)
            await IssueIdentities();
        if (_policy is not null)
            await WritePolicy(_policy);
        foreach (var coordinator in Coordinators)
            coordinator.Start();
        foreach (var node in Nodes)
        {
            var address = Address(node.Name);
            node.Daemon = new Daemon(() => Node(node, address));
            node.Daemon.Start();
        }
        await IsWhole();
    }

    public async Task DisposeAsync()
    {
        try
        {
            foreach (var daemon in (Daemon[])[.. Nodes.Select(node => node.Daemon), .. Coordinators])
                await daemon.Stop();
        }
        finally
        {
            if (_network is not null)
                await _network.DisposeAsync();
            await Task.WhenAll(Nodes.Select(node => node.Docker.DisposeAsync()));
            await _directory.DisposeAsync();
        }
    }

    /// <summary>In place of the one before.</summary>
    internal async Task WritePolicy(string policy)
    {
        await File.WriteAllTextAsync(_directory["policy.new"], policy);
        File.Move(_directory["policy.new"], _directory["policy.yaml"], overwrite: true);
    }

    /// <summary>Starts again what was killed.</summary>
    internal async Task Restore()
    {
        foreach (var daemon in (Daemon[])[.. Coordinators, .. Nodes.Select(node => node.Daemon)])
        {
            if (daemon.HasExited)
                daemon.Start();
        }
        await IsWhole();
    }

    /// <summary>Waits until every coordinator that runs says that every node is up.</summary>
    internal async Task IsWhole()
    {
        foreach (var coordinator in Enumerable.Range(0, Coordinators.Count).Where(index => !Coordinators[index].HasExited))
        {
            await Lists(Crashcart(coordinator, "nodes", "--output", "json"),
                nodes => nodes.Length == Nodes.Count && nodes.All(node => node.GetProperty("state").GetString() == "up"));
        }
    }

    /// <summary>Waits until a coordinator lists the nodes as <c>alpha=up beta=leaving</c>, in order of their names.</summary>
    internal Task ListsNodes(int coordinator, string expected, TimeSpan? within = null) => Lists(
        Crashcart(coordinator, "nodes", "--output", "json"),
        nodes => string.Join(' ', nodes.Select(node => $"{node.GetProperty("name").GetString()}={node.GetProperty("state").GetString()}")) == expected,
        within);

    /// <summary>Waits until the fleet lists that many containers for the selector.</summary>
    internal Task Sees(int containers, string selector) =>
        Lists(Crashcart("ps", "--label", selector, "--output", "json"), listed => listed.Length == containers);

    /// <summary>Waits until a listing command's JSON is as expected.</summary>
    internal async Task Lists(Command listing, Func<JsonElement[], bool> expected, TimeSpan? within = null)
    {
        CommandResult? result = null;
        await Eventually.Holds(
            async () => (result = await listing.Run()).ExitCode == 0 && expected(Json(result)),
            () => $"the fleet is as expected; it says {result?.Output} {result?.Error}\n{Logs()}",
            within ?? JoinPatience);
    }

    internal static JsonElement[] Json(CommandResult listing) =>
        [.. JsonDocument.Parse(listing.Output).RootElement.EnumerateArray()];

    /// <summary>The first coordinator for those who come over the network, of a fleet that is secured.</summary>
    internal string Url => $"https://{_clientAddresses[0]}";

    /// <summary>A command line of <c>crashcart</c> that talks to the first coordinator.</summary>
    internal Command Crashcart(params string[] arguments) => Crashcart(0, arguments);

    internal Command Crashcart(int coordinator, params string[] arguments) => new(Artifacts.Cli, arguments)
    {
        Environment = new Dictionary<string, string?>
        {
            ["CRASHCART_COORDINATOR"] = $"unix://{Socket(coordinator)}",
            ["CRASHCART_IMAGE"] = Image,
            ["DOCKER_HOST"] = "unix:///nowhere/docker.sock",
            ["HOME"] = _directory.Path,
        },
    };

    internal string Logs() => string.Join('\n', [.. Coordinators.Select(daemon => daemon.LastWords), .. Nodes.Select(node => node.Daemon.LastWords)]);

    /// <summary>Paths of the images that a node or a coordinator keeps, whole or half.</summary>
    /// <param name="member">A node's name, or <see cref="NameOf"/> a coordinator.</param>
    internal string[] StoredImages(string member)
    {
        var images = ImagesOf(member);
        return Directory.Exists(images) ? Directory.GetFiles(images, "sha256-*") : [];
    }

    /// <summary>The directory of those.</summary>
    internal string ImagesOf(string member) => Path.Combine(_directory[member], "images");

    /// <summary>The directory of what a coordinator has recorded.</summary>
    internal string RecordingsOf(int coordinator) => Path.Combine(_directory[NameOf(coordinator)], "recordings");

    /// <summary>A coordinator's place in the network.</summary>
    internal static string NameOf(int coordinator) => $"coordinator-{coordinator}";

    private async Task IssueIdentities()
    {
        await Authority.Init();
        for (var index = 0; index < Coordinators.Count; index++)
            await Authority.Issue("coordinator", NameOf(index), Loopback);
        foreach (var node in Nodes)
            await Authority.Issue("node", node.Name, Loopback);
    }

    private string Address(string daemon) => _network?.AddressOf(daemon) ?? Daemon.FreeAddress();

    private string Socket(int coordinator) => _directory[$"coordinator-{coordinator}.sock"];

    private Command Coordinator(int index) => In(NameOf(index), Artifacts.Coordinator,
    [
        "--socket", Socket(index), "--state-dir", _directory[NameOf(index)],
        "--cluster-listen", _addresses[index], "--stream-listen", _streamAddresses[index],
        .. _isSecured ? (string[])["--tls-dir", Authority[NameOf(index)], "--ca-dir", Authority.Path, "--listen", _clientAddresses[index]] : ["--insecure"],
        .. _policy is not null ? ["--policy", _directory["policy.yaml"]] : Array.Empty<string>(),
        .. _coordinatorOptions,
        .. _addresses.SelectMany(address => (string[])["--seed", address]),
    ]) with
    {
        Environment = DaemonEnvironment("unix:///nowhere/docker.sock"),
    };

    private Command Node(FleetNode node, string listen) => In(node.Name, Artifacts.Node,
    [
        "--name", node.Name, "--image", Image, "--state-dir", _directory[node.Name], "--listen", listen, "--linger", $"{_linger}",
        .. _isSecured ? ["--tls-dir", Authority[node.Name]] : (string[])["--insecure"],
        .. _nodeOptions,
        .. _addresses.SelectMany(address => (string[])["--seed", address]),
    ]) with
    {
        Environment = DaemonEnvironment(node.Docker.Host),
    };

    private Command In(string member, string program, string[] arguments)
    {
        var command = new Command(program, arguments);
        return _network?.Enter(member, command) ?? command;
    }

    private Dictionary<string, string?> DaemonEnvironment(string dockerHost) => new()
    {
        ["DOCKER_HOST"] = dockerHost,
        ["CRASHCART_IMAGE"] = null,
        ["HOME"] = _directory.Path,
    };
}

/// <summary>One fleet for all tests that leave it as it was.</summary>
[CollectionDefinition(Name)]
public sealed class OnFleet : ICollectionFixture<FleetHost>
{
    public const string Name = "fleet";
}

/// <summary>A node of the tests' fleet.</summary>
internal sealed class FleetNode(string name, DockerDaemon docker)
{
    public string Name { get; } = name;

    public DockerDaemon Docker { get; } = docker;

    public Daemon Daemon { get; set; } = null!;
}
