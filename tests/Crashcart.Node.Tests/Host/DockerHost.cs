using System.Diagnostics;
using System.Globalization;
using Crashcart.Node.Docker;

namespace Crashcart.Node.Tests.Host;

/// <summary>A dockerd of the tests' own, with an image of busybox alone, and a toolbox image.</summary>
public sealed class DockerHost : IAsyncLifetime
{
    private static readonly string[] Applets = ["sh", "sleep", "cat", "id", "ls", "yes", "seq", "tty"];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-node-tests-");
    private Process? _daemon;

    public DockerSocket Socket => DockerSocket.Parse($"unix://{_directory}/docker.sock");

    public string Toolbox => Path.Combine(_directory.FullName, "crashcart.img");

    public async Task InitializeAsync()
    {
        await StartDaemonAsync();
        var root = MakeRoot("container");
        var archive = Path.Combine(_directory.FullName, "container.tar");
        await Command.RunAsync("tar", "-C", root, "-cf", archive, ".");
        await DockerAsync("import", archive, "tiny");
        await Command.RunAsync("mkfs.erofs", Toolbox, MakeRoot("toolbox"));
    }

    public async Task DisposeAsync()
    {
        var containers = (await DockerAsync("ps", "-aq")).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (containers.Length > 0)
            await DockerAsync(["rm", "-f", .. containers]);
        await StopDaemonAsync();
        _directory.Delete(recursive: true);
    }

    public Task<string> DockerAsync(params string[] arguments) => Command.RunAsync("docker", ["-H", Socket.ToString(), .. arguments]);

    /// <summary>Runs a container that sleeps.</summary>
    /// <returns>Its id.</returns>
    public Task<string> RunContainerAsync(string name, params string[] options) =>
        DockerAsync(["run", "-d", "--network", "none", "--name", name, .. options, "tiny", "sleep", "100000"]);

    public async Task<int> PidAsync(string container) =>
        int.Parse(await DockerAsync("inspect", "-f", "{{.State.Pid}}", container), CultureInfo.InvariantCulture);

    public async Task StartDaemonAsync()
    {
        var start = new ProcessStartInfo("dockerd", [
            "--bridge=none", "--iptables=false", "--ip6tables=false",
            "--data-root", $"{_directory}/data", "--exec-root", $"{_directory}/exec", "--pidfile", $"{_directory}/pid",
            "-H", Socket.ToString()])
        {
            RedirectStandardError = true,
        };
        _daemon = Process.Start(start)!;
        _daemon.BeginErrorReadLine();
        await Eventually.TrueAsync(AnswersAsync, "dockerd starts", TimeSpan.FromMinutes(1));
    }

    public async Task StopDaemonAsync()
    {
        await Command.RunAsync("kill", _daemon!.Id.ToString(CultureInfo.InvariantCulture));
        await _daemon.WaitForExitAsync();
        _daemon.Dispose();
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            await DockerAsync("version");
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    private string MakeRoot(string name)
    {
        var bin = Directory.CreateDirectory(Path.Combine(_directory.FullName, name, "bin"));
        File.Copy("/bin/busybox", Path.Combine(bin.FullName, "busybox"));
        foreach (var applet in Applets)
            File.CreateSymbolicLink(Path.Combine(bin.FullName, applet), "busybox");
        return bin.Parent!.FullName;
    }
}

[CollectionDefinition(Name)]
public sealed class DockerTests : ICollectionFixture<DockerHost>
{
    public const string Name = "docker";
}
