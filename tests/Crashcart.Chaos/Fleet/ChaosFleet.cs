using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos.Fleet;

/// <summary>Two nodes, two coordinators and six containers, all of them real processes that can be killed.</summary>
internal sealed class ChaosFleet : IAsyncDisposable
{
    private static readonly TimeSpan JoinPatience = TimeSpan.FromSeconds(90);

    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly string[] _addresses = [.. Enumerable.Range(0, 2).Select(_ => Daemon.FreeAddress())];
    private readonly SmallImage _image;

    private ChaosFleet(SmallImage image)
    {
        _image = image;
        Coordinators = [.. Enumerable.Range(0, 2).Select(index => new Daemon(Coordinator(index)))];
        Nodes =
        [
            new ChaosNode("alpha", new DockerDaemon(), new StateDirectory(_directory["alpha"])),
            new ChaosNode("beta", new LiveRestoringDocker(), new StateDirectory(_directory["beta"])),
        ];
        Boxes =
        [
            new Box(Nodes[0], "plain", TestImages.Busybox),
            new Box(Nodes[0], "readonly", TestImages.Busybox, "--read-only", "--init"),
            new Box(Nodes[0], "scratch", TestImages.Scratch),
            new Box(Nodes[1], "user", TestImages.Busybox, "--user", "1000", "--init"),
            new Box(Nodes[1], "tty", TestImages.Busybox, "--tty"),
            new Box(Nodes[1], "scratch", TestImages.Scratch),
        ];
        Directory.CreateDirectory(Faults);
    }

    public string Image => _image.Path;

    /// <summary>Files in it are what processes find at named steps.</summary>
    public string Faults => _directory["faults"];

    public IReadOnlyList<ChaosNode> Nodes { get; }

    public IReadOnlyList<Daemon> Coordinators { get; }

    public IReadOnlyList<Box> Boxes { get; }

    public IEnumerable<Daemon> Daemons => [.. Coordinators, .. Nodes.Select(node => node.Daemon)];

    public static async Task<ChaosFleet> Start()
    {
        var fleet = new ChaosFleet(await SmallImage.Make("chaos"));
        await Task.WhenAll(fleet.Nodes.Select(node => node.Docker.InitializeAsync()));
        await Task.WhenAll(fleet.Boxes.Select(box => box.Run()));
        foreach (var coordinator in fleet.Coordinators)
            coordinator.Start();
        foreach (var node in fleet.Nodes)
        {
            await node.State.Make();
            node.Daemon = new Daemon(fleet.Node(node));
            node.Daemon.Start();
        }
        await fleet.IsWhole();
        return fleet;
    }

    /// <summary>Waits until every coordinator knows every node and every container.</summary>
    public async Task IsWhole()
    {
        foreach (var coordinator in Enumerable.Range(0, Coordinators.Count))
        {
            CommandResult? nodes = null, boxes = null;
            await Eventually.Holds(
                async () =>
                    (nodes = await Crashcart(coordinator, "nodes", "--output", "json").Run()).ExitCode == 0
                    && FleetHost.Json(nodes).Count(node => node.GetProperty("state").GetString() == "up") == Nodes.Count
                    && (boxes = await Crashcart(coordinator, "ps", "--label", "app=chaos", "--output", "json").Run()).ExitCode == 0
                    && FleetHost.Json(boxes).Length == Boxes.Count,
                () => $"coordinator {coordinator} knows the fleet; it says {nodes?.Output}{nodes?.Error}{boxes?.Output}{boxes?.Error}",
                JoinPatience);
        }
    }

    /// <summary>Waits until every daemon has what it makes at its start; it need not have joined.</summary>
    public async Task HasStarted()
    {
        string[] made = [.. Enumerable.Range(0, Coordinators.Count).Select(Socket), .. Nodes.Select(node => $"/run/crashcart/node-{node.Name}.lock")];
        await Eventually.Holds(() => made.All(File.Exists), () => $"all daemons have started: {LogTails()}", JoinPatience);
    }

    /// <summary>A command line of <c>crashcart</c> that talks to one of the coordinators and to the box's Docker.</summary>
    public Command Crashcart(int coordinator, params string[] arguments) => new(Artifacts.Cli, arguments)
    {
        Environment = new Dictionary<string, string?>
        {
            ["CRASHCART_COORDINATOR"] = $"unix://{Socket(coordinator % Coordinators.Count)}",
            ["CRASHCART_IMAGE"] = Image,
            ["CRASHCART_FAULTS"] = Faults,
            ["DOCKER_HOST"] = "unix:///nowhere/docker.sock",
            ["HOME"] = _directory.Path,
        },
    };

    /// <summary>As <see cref="Crashcart"/>, and no fault point is armed for it.</summary>
    public Command Undisturbed(params string[] arguments)
    {
        var command = Crashcart(0, arguments);
        return command with { Environment = new Dictionary<string, string?>(command.Environment) { ["CRASHCART_FAULTS"] = null } };
    }

    /// <summary>The last lines of each daemon's log, without the stacks of exceptions.</summary>
    public string LogTails() => string.Join('\n', Daemons.Select(Tail));

    /// <summary>As the Docker daemons know them.</summary>
    public async Task<string> Containers()
    {
        var lists = await Task.WhenAll(Nodes.Select(async node => $"{node.Name}:\n{(await node.Docker.Docker("ps", "-a").Run()).Output}"));
        return string.Concat(lists);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var daemon in Daemons)
            await daemon.Kill();
        foreach (var node in Nodes)
            await node.Docker.DisposeAsync();
    }

    private static string Tail(Daemon daemon)
    {
        const int Lines = 12, Width = 240;
        var lines = daemon.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).TakeLast(Lines);
        return string.Join('\n', lines.Select(line => line.Length > Width ? line[..Width] + "…" : line).Prepend($"process {daemon.Pid}:"));
    }

    private string Socket(int coordinator) => _directory[$"coordinator-{coordinator}.sock"];

    private Command Coordinator(int index) => new(Artifacts.Coordinator,
    [
        "--insecure", "--socket", Socket(index), "--state-dir", _directory[$"coordinator-{index}"], "--cluster-listen", _addresses[index],
        .. _addresses.SelectMany(address => (string[])["--seed", address]),
    ])
    {
        Environment = DaemonEnvironment("unix:///nowhere/docker.sock"),
    };

    private Command Node(ChaosNode node) => new(Artifacts.Node,
    [
        "--insecure", "--name", node.Name, "--image", Image, "--state-dir", node.State.Path, "--listen", Daemon.FreeAddress(), "--linger", "0",
        .. _addresses.SelectMany(address => (string[])["--seed", address]),
    ])
    {
        Environment = DaemonEnvironment(node.Docker.Host),
    };

    private Dictionary<string, string?> DaemonEnvironment(string dockerHost) => new()
    {
        ["DOCKER_HOST"] = dockerHost,
        ["CRASHCART_IMAGE"] = null,
        ["CRASHCART_FAULTS"] = Faults,
        ["HOME"] = _directory.Path,
    };

    /// <summary>Its containers outlive it.</summary>
    private sealed class LiveRestoringDocker() : DockerDaemon(remapped: false, "--live-restore");
}
