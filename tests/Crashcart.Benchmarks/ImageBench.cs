using System.Globalization;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>What images are measured with: a Docker daemon, the published <c>crashcart</c>, and images of its own on a disk.</summary>
internal sealed class ImageBench : IAsyncDisposable
{
    private static readonly TimeSpan BuildPatience = TimeSpan.FromMinutes(15);

    // Not below /tmp, which is often a tmpfs: nothing leaves the page cache there.
    private readonly DirectoryInfo _directory = Directory.CreateDirectory($"/var/tmp/crashcart-bench-{Environment.ProcessId}");
    private readonly LocalHost _host = new();
    private readonly Stopwatch _stopwatch;

    private ImageBench(Stopwatch stopwatch) => _stopwatch = stopwatch;

    public DockerDaemon Docker => _host.Docker;

    public static async Task<ImageBench> Open(TemporaryDirectory scratch)
    {
        var bench = new ImageBench(await Stopwatch.Compile(scratch["peers"]));
        await bench._host.InitializeAsync();
        return bench;
    }

    public string Image(string name) => Path.Combine(_directory.FullName, $"crashcart-{name}.img");

    /// <summary>Builds the recipe as one file system, with the packages that this user's cache holds.</summary>
    public Peer Build(string recipe, string fileSystem) => Timed(fileSystem, new Command(
        Artifacts.Cli, "image", "build", "-f", recipe, "--format", fileSystem, "-o", Image(fileSystem))
    { Patience = BuildPatience });

    /// <summary>A shell of the image that does nothing, in the container.</summary>
    public Peer Shell(string image, Container box) => Timed(
        image, _host.Crashcart("exec", "-i", Image(image), box.PidText, "--", "bash", "-c", "true"));

    /// <summary>Attaches the image, until the container ends.</summary>
    public async Task Hold(string image, Container box) =>
        (await _host.Crashcart("mount", "-i", Image(image), box.PidText).Run()).Succeeded();

    /// <summary>Waits until the image is attached to no loop device, and takes it out of the page cache.</summary>
    public async Task Evict(string image)
    {
        var file = Image(image);
        await Eventually.Holds(() => !HostState.LoopDevicesOf(file).Any(), $"{file} is attached nowhere");
        await new Command("sync", file).Output();
        await new Command("dd", $"if={file}", "iflag=nocache", "count=0", "status=none").Output();
        var left = long.Parse(await new Command("fincore", "-nb", "-o", "RES", file).Output(), CultureInfo.InvariantCulture);
        if (left != 0)
            throw new InvalidOperationException($"{left} bytes of {file} stay in the page cache: no cold start can be measured on its file system.");
    }

    public async ValueTask DisposeAsync()
    {
        await _host.DisposeAsync();
        _directory.Delete(recursive: true);
    }

    private Peer Timed(string name, Command command) => new(name, () => _stopwatch.Time(command));
}
