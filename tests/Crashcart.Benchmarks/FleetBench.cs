using System.Globalization;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>A fleet of one coordinator and two nodes that speak TLS, each with a Docker daemon of its own, and containers on them in turn.</summary>
internal sealed class FleetBench : IAsyncDisposable
{
    private const string User = "bench";

    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly TwoNodes _fleet = new();
    private readonly List<Container> _boxes = [];
    private Stopwatch _stopwatch = null!;

    private FleetBench()
    {
    }

    public FleetHost Fleet => _fleet;

    public int CoordinatorPid => _fleet.Coordinators[0].Pid;

    public IEnumerable<int> NodePids => _fleet.Nodes.Select(node => node.Daemon.Pid);

    /// <param name="sizes">How many containers the comparisons are of; <see cref="Selector"/> selects so many.</param>
    public static async Task<FleetBench> Open(int[] sizes)
    {
        var bench = new FleetBench();
        bench._stopwatch = await Stopwatch.Compile(bench._directory["peers"]);
        await bench._fleet.InitializeAsync();
        await bench._fleet.Authority.Issue("user", User);
        for (var index = 0; index < sizes.Max(); index++)
        {
            var docker = bench._fleet.Nodes[index % 2].Docker;
            var labels = sizes.Where(size => index < size).SelectMany(size => (string[])["--label", Selector(size)]);
            var box = await docker.RunBusybox([.. labels]);
            bench._boxes.Add(box);
            // Every peer knows a container by one word, and so by that word the daemon that has it.
            File.CreateSymbolicLink(bench._directory[$"{ShortId(box)}.sock"], docker.Host["unix://".Length..]);
        }
        await bench._fleet.Sees(sizes.Max(), Selector(sizes.Max()));
        return bench;
    }

    /// <summary>A command of a person who comes over the network, with a certificate.</summary>
    public Command ByTls(params string[] words)
    {
        var command = _fleet.Crashcart(words);
        return command with
        {
            Environment = new Dictionary<string, string?>(command.Environment) { ["CRASHCART_COORDINATOR"] = _fleet.Url, ["CRASHCART_TLS_DIR"] = _fleet.Authority[User] },
        };
    }

    public static string Selector(int containers) => $"of-{Number(containers)}";

    /// <summary>Short ids of the first so many containers.</summary>
    public IEnumerable<string> Ids(int containers) => _boxes.Take(containers).Select(ShortId);

    /// <summary><c>docker exec</c> in the container that the word stands for when the command runs.</summary>
    public string[] DockerExec(string word) => ["docker", "--host", $"unix://{_directory[word]}.sock", "exec", word, "/bin/true"];

    public Peer Timed(string name, Command command) => new(name, () => _stopwatch.Time(command));

    public async ValueTask DisposeAsync()
    {
        await _fleet.DisposeAsync();
        await _directory.DisposeAsync();
    }

    private static string ShortId(Container box) => box.Id[..12];

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    private sealed class TwoNodes() : FleetHost(["east", "west"], coordinators: 1, linger: 30, isSecured: true);
}
