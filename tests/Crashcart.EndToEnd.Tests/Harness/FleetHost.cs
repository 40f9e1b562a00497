using System.Text.Json;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A fleet of real processes on this machine: nodes, each with a Docker daemon of its own, and coordinators.</summary>
public class FleetHost : IAsyncLifetime
{
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly string[] _addresses;

    public FleetHost()
        : this(["alpha", "beta"], coordinators: 2)
    {
    }

    /// <param name="nodes">Their names.</param>
    /// <param name="coordinators">How many.</param>
    protected FleetHost(string[] nodes, int coordinators)
    {
        _addresses = [.. Enumerable.Range(0, coordinators).Select(_ => Daemon.FreeAddress())];
        Coordinators = [.. Enumerable.Range(0, coordinators).Select(index => new Daemon(Coordinator(index)))];
        Nodes = [.. nodes.Select(name => new FleetNode(name, new DockerDaemon()))];
    }

    internal string Image => _directory["crashcart.img"];

    internal IReadOnlyList<FleetNode> Nodes { get; }

    internal IReadOnlyList<Daemon> Coordinators { get; }

    public async Task InitializeAsync()
    {
        File.Copy(Artifacts.Image, Image);
        await Task.WhenAll(Nodes.Select(node => node.Docker.InitializeAsync()));
        foreach (var coordinator in Coordinators)
            coordinator.Start();
        foreach (var node in Nodes)
        {
            node.Daemon = new Daemon(Node(node));
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
            await Task.WhenAll(Nodes.Select(node => node.Docker.DisposeAsync()));
            await _directory.DisposeAsync();
        }
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

    /// <summary>Waits until the fleet lists that many containers for the selector.</summary>
    internal Task Sees(int containers, string selector) =>
        Lists(Crashcart("ps", "--label", selector, "--output", "json"), listed => listed.Length == containers);

    /// <summary>Waits until a listing command's JSON is as expected.</summary>
    internal async Task Lists(Command listing, Func<JsonElement[], bool> expected)
    {
        CommandResult? result = null;
        await Eventually.Holds(
            async () => (result = await listing.Run()).ExitCode == 0 && expected(Json(result)),
            () => $"the fleet is as expected; it says {result?.Output} {result?.Error}\n{Logs()}",
            JoinPatience);
    }

    internal static JsonElement[] Json(CommandResult listing) =>
        [.. JsonDocument.Parse(listing.Output).RootElement.EnumerateArray()];

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

    private string Socket(int coordinator) => _directory[$"coordinator-{coordinator}.sock"];

    private Command Coordinator(int index) => new(Artifacts.Coordinator,
    [
        "--socket", Socket(index), "--cluster-listen", _addresses[index],
        .. _addresses.SelectMany(address => (string[])["--seed", address]),
    ])
    {
        Environment = DaemonEnvironment("unix:///nowhere/docker.sock"),
    };

    private Command Node(FleetNode node) => new(Artifacts.Node,
    [
        "--name", node.Name, "--image", Image, "--state-dir", _directory[node.Name], "--listen", Daemon.FreeAddress(),
        .. _addresses.SelectMany(address => (string[])["--seed", address]),
    ])
    {
        Environment = DaemonEnvironment(node.Docker.Host),
    };

    private Dictionary<string, string?> DaemonEnvironment(string dockerHost) => new()
    {
        ["DOCKER_HOST"] = dockerHost,
        ["CRASHCART_IMAGE"] = null,
        ["HOME"] = _directory.Path,
    };
}

/// <summary>A node of the tests' fleet.</summary>
internal sealed class FleetNode(string name, DockerDaemon docker)
{
    public string Name { get; } = name;

    public DockerDaemon Docker { get; } = docker;

    public Daemon Daemon { get; set; } = null!;
}
