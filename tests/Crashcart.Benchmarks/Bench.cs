using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>What is measured: a fleet of one node with its Docker daemon, the small images, and the C program that keeps time.</summary>
internal sealed class Bench : IAsyncDisposable
{
    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly SmallImage _erofs;

    private Bench(FleetHost fleet, SmallImage erofs)
    {
        Fleet = fleet;
        _erofs = erofs;
    }

    public FleetHost Fleet { get; }

    public DockerDaemon Docker => Fleet.Nodes[0].Docker;

    public string Node => Fleet.Nodes[0].Name;

    /// <summary>An image with a static busybox.</summary>
    public string Erofs => _erofs.Path;

    /// <summary>The same files as ext3, which the original's image was.</summary>
    public string Ext3 => _directory["crashcart-ext3.img"];

    private string Peers => _directory["peers"];

    public static async Task<Bench> Open()
    {
        var bench = new Bench(new OneNode(), await SmallImage.Make("small"));
        await Stopwatch.Compile(bench.Peers);
        await new Command("mke2fs", "-q", "-t", "ext3", "-b", "4096", "-d", bench._erofs.Root, bench.Ext3, "16M").Output();
        await bench.Fleet.InitializeAsync();
        return bench;
    }

    /// <summary>The command's whole run.</summary>
    public Peer Timed(string name, Command command) => new(name, () => new Stopwatch(Peers).Time(command));

    /// <summary>Crashcart on this host, without a daemon.</summary>
    public Command Local(params string[] arguments) => Fleet.Crashcart(arguments) with { Patience = TimeSpan.FromMinutes(2) };

    /// <summary>The original's system calls, with a tool of the image.</summary>
    public Peer Original(string name, Container box, string type, string image, string[] tool) =>
        Timed(name, new Command(Peers, ["original", box.PidText, type, image, .. tool])) with { Before = NothingAttached };

    /// <summary>Frees the loop devices that the last sample left, as the original leaves them.</summary>
    public async Task NothingAttached()
    {
        foreach (var image in (string[])[Erofs, Ext3])
        {
            foreach (var device in HostState.LoopDevicesOf(image))
                await new Command("losetup", "--detach", device).Run();
            await Eventually.Holds(() => !HostState.LoopDevicesOf(image).Any(), $"{image} is attached nowhere");
        }
    }

    public async ValueTask DisposeAsync()
    {
        await NothingAttached();
        await Fleet.DisposeAsync();
        await _erofs.DisposeAsync();
        await _directory.DisposeAsync();
    }

    private sealed class OneNode() : FleetHost(["bench"], coordinators: 1, linger: 30);
}
