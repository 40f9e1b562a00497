using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Crashcart.Node.Tests.Host;

namespace Crashcart.Node.Tests;

/// <summary>The program crashcart-node, as an operator meets it.</summary>
[Collection(DockerTests.Name)]
public sealed class NodeProcessTests(DockerHost docker) : IDisposable
{
    private readonly string _file = Path.GetTempFileName();
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("crashcart-node-state-");
    private readonly string _name = $"test-{Guid.NewGuid():N}";

    public void Dispose()
    {
        File.Delete(_file);
        _state.Delete(recursive: true);
    }

    [Fact]
    public async Task Check_says_what_is_in_force_and_where_it_comes_from()
    {
        File.WriteAllText(_file, $"image: {docker.Toolbox}\n");

        var (status, output, _) = await RunAsync("--insecure", "--check", "--config", _file, "--name", "n1");

        Assert.Equal(0, status);
        Assert.Contains($"image: {docker.Toolbox}  # {_file}:1:8", output);
        Assert.Contains("name: n1  # --name", output);
        Assert.Contains("listen: 127.0.0.1:7421  # default", output);
    }

    [Fact]
    public async Task Check_points_at_the_mistake_in_the_file()
    {
        File.WriteAllText(_file, "name: n1\nimgae: x\n");

        var (status, _, errors) = await RunAsync("--check", "--config", _file);

        Assert.Equal(1, status);
        Assert.StartsWith($"crashcart-node: {_file}:2:1: unknown setting 'imgae'", errors);
    }

    [Theory]
    [InlineData("/nonexistent/crashcart.img", "There is no image at '/nonexistent/crashcart.img'")]
    [InlineData("/etc/passwd", "holds no erofs, ext4 or squashfs file system")]
    public async Task Check_refuses_what_is_no_image(string image, string reason)
    {
        var (status, _, errors) = await RunAsync("--insecure", "--check", "--image", image);

        Assert.Equal(1, status);
        Assert.Contains(reason, errors);
    }

    [Fact]
    public async Task An_address_that_others_can_reach_is_refused_without_tls()
    {
        var (status, _, errors) = await RunAsync("--insecure", "--listen", "10.0.0.1:7421");

        Assert.Equal(1, status);
        Assert.Contains("without TLS", errors);
    }

    [Fact]
    public async Task Who_is_not_root_is_told_so_in_a_sentence()
    {
        var (status, _, errors) = await RunAsync(start =>
        {
            start.FileName = "setpriv";
            start.ArgumentList.Insert(0, Program);
            foreach (var argument in new[] { "--clear-groups", "--regid=65534", "--reuid=65534" })
                start.ArgumentList.Insert(0, argument);
            start.ArgumentList.Add("--insecure");
        });

        Assert.Equal(1, status);
        Assert.Contains("root", Assert.Single(errors.Split('\n', StringSplitOptions.RemoveEmptyEntries)));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told_in_a_sentence()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var (status, _, errors) = await RunAsync("--insecure", "--name", _name, "--listen", taken.LocalEndpoint.ToString()!);

        Assert.Equal(1, status);
        Assert.Contains($"Could not listen on {taken.LocalEndpoint} (Address already in use)", errors);
        Assert.DoesNotContain("   at ", errors);
    }

    [Fact]
    public async Task Runs_without_coordinator_docker_and_image_and_stops_in_order()
    {
        using var process = Process.Start(Describe(start =>
        {
            foreach (var argument in new[] { "--insecure", "--name", _name, "--listen", "127.0.0.1:0", "--image", "/nonexistent", "--docker-host", "unix:///nonexistent" })
                start.ArgumentList.Add(argument);
        }))!;
        var lines = new List<string>();
        while (!lines.Any(line => line.Contains("is not available", StringComparison.Ordinal)))
            lines.Add(await process.StandardError.ReadLineAsync().WaitAsync(Eventually.Patience)
                ?? throw new EndOfStreamException(string.Join(Environment.NewLine, lines)));

        await Command.RunAsync("kill", process.Id.ToString(CultureInfo.InvariantCulture));
        await process.WaitForExitAsync().WaitAsync(Eventually.Patience);

        Assert.Equal(0, process.ExitCode);
        Assert.Contains("stopped", await process.StandardError.ReadToEndAsync());
    }

    private static string Program => Path.Combine(AppContext.BaseDirectory, "crashcart-node");

    private Task<(int Status, string Output, string Errors)> RunAsync(params string[] arguments) =>
        RunAsync(start => Array.ForEach(arguments, start.ArgumentList.Add));

    private async Task<(int Status, string Output, string Errors)> RunAsync(Action<ProcessStartInfo> adjust)
    {
        using var process = Process.Start(Describe(adjust))!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync().WaitAsync(Eventually.Patience);
        return (process.ExitCode, await output, await errors);
    }

    private ProcessStartInfo Describe(Action<ProcessStartInfo> adjust)
    {
        var start = new ProcessStartInfo(Program) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["CRASHCART_STATE_DIR"] = _state.FullName;
        adjust(start);
        return start;
    }
}
