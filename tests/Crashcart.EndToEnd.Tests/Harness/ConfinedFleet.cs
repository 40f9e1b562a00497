namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A coordinator and a node as processes that a test starts as it likes, and a container of theirs.</summary>
internal sealed class ConfinedFleet : IAsyncDisposable
{
    private readonly LocalHost _host;
    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();

    private ConfinedFleet(LocalHost host)
    {
        _host = host;
        Authority = new Authority(_directory["tls"]);
    }

    public Authority Authority { get; }

    public string JoinAddress { get; } = Daemon.FreeAddress();

    public Container Box { get; private set; } = null!;

    public Daemon Coordinator { get; private set; } = null!;

    public Daemon Node { get; private set; } = null!;

    /// <summary>Made by the daemons, with everything in them.</summary>
    public string[] StateDirectories => [_directory["coordinator"], _directory["node"]];

    /// <summary>In a directory that the coordinator made.</summary>
    public string Socket => _directory["run/c.sock"];

    /// <param name="start">How a program of the product's is started: its command, and the directories that it may write.</param>
    public static async Task<ConfinedFleet> Start(LocalHost host, Func<Command, string[], Command> start, params string[] options)
    {
        var fleet = new ConfinedFleet(host);
        await fleet.Authority.Init();
        await fleet.Authority.Issue("coordinator", "c1", "127.0.0.1");
        await fleet.Authority.Issue("node", "alpha", "127.0.0.1");
        fleet.Box = await host.Docker.RunScratch();
        string seed = Daemon.FreeAddress();
        string[] tls(string name) => ["--tls-dir", fleet.Authority[name], .. options];
        fleet.Coordinator = new Daemon(start(
            fleet.Program(
                Artifacts.Coordinator,
                ["--socket", fleet.Socket, "--state-dir", fleet.StateDirectories[0], "--ca-dir", fleet.Authority.Path, "--cluster-listen", seed, "--join-listen", fleet.JoinAddress, .. tls("c1")]),
            [fleet.StateDirectories[0], Path.GetDirectoryName(fleet.Socket)!, fleet.Authority.Path]));
        fleet.Node = new Daemon(start(
            fleet.Program(
                Artifacts.Node,
                ["--name", "alpha", "--image", host.Image, "--state-dir", fleet.StateDirectories[1], "--listen", Daemon.FreeAddress(), "--seed", seed, .. tls("alpha")]),
            [fleet.StateDirectories[1], "/run/crashcart"]));
        fleet.Coordinator.Start();
        fleet.Node.Start();
        try
        {
            await Eventually.Holds(
                async () => (await fleet.Crashcart("ps", "--output", "json").Run()).Output.Contains(fleet.Box.Id[..12], StringComparison.Ordinal),
                () => $"the coordinator lists the container\n{fleet.Coordinator.LastWords}\n{fleet.Node.LastWords}");
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
        return fleet;
    }

    public Command Crashcart(params string[] arguments) => _host.Crashcart(arguments) with
    {
        Environment = new Dictionary<string, string?>(_host.Crashcart().Environment) { ["CRASHCART_COORDINATOR"] = $"unix://{Socket}" },
    };

    /// <summary><c>crashcart exec</c> in the container, through both daemons.</summary>
    public Command Exec(params string[] words) => Crashcart(["exec", .. words[..^1], $"alpha/{Box.Name}", "sh", "-c", words[^1]]);

    public async ValueTask DisposeAsync()
    {
        await Node.Stop();
        await Coordinator.Stop();
        await Box.DisposeAsync();
        await _directory.DisposeAsync();
    }

    private Command Program(string program, string[] arguments) => new(program, arguments)
    {
        Environment = new Dictionary<string, string?> { ["DOCKER_HOST"] = _host.Docker.Host, ["CRASHCART_IMAGE"] = null, ["HOME"] = _directory.Path },
    };
}
