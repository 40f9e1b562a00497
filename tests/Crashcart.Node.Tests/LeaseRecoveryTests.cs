using Akka.Actor;
using Akka.Configuration;
using Crashcart.Actors.Node.People;
using Crashcart.Actors.Protocol;
using Crashcart.Audit;
using Crashcart.Native;
using Crashcart.Node.Auditing;
using Crashcart.Node.Configuration;
using Crashcart.Node.Tests.Host;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Node.Tests;

/// <summary>What people hold on a real kernel, across nodes that stop, and beside the command line's own mounts.</summary>
[Collection(DockerTests.Name)]
public sealed class LeaseRecoveryTests(DockerHost docker) : IAsyncLifetime
{
    private const string Web = "lease-web";

    private readonly string _name = $"test-{Guid.NewGuid():N}";
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("crashcart-leases-");
    private ActorSystem _system = null!;
    private NodeService? _node;
    private string _container = "";

    public async Task InitializeAsync()
    {
        _container = await docker.RunContainerAsync(Web, "--label", "app=lease-web");
        await StartAsync();
    }

    public async Task DisposeAsync()
    {
        await docker.DockerAsync("rm", "-f", Web);
        await StopAsync();
        _state.Delete(recursive: true);
        Assert.Empty(LoopDevices());
    }

    [Fact]
    public async Task A_mount_is_there_until_it_is_given_back_and_the_kernel_alone_holds_the_loop_device()
    {
        Assert.Equal("", (await MountAsync()).Problem);
        Assert.Equal("", (await MountAsync()).Problem);
        Assert.Single(LoopDevices());
        Assert.Equal("bin", await docker.DockerAsync("exec", Web, "ls", "/dev/crashcart"));

        Assert.Equal(("", true), await UnmountAsync());
        Assert.Equal(("", false), await UnmountAsync());

        await Eventually.TrueAsync(() => LoopDevices().Count == 0, "the loop device is gone", TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task Leases_survive_the_node()
    {
        var lease = (await MountAsync()).LeaseId;
        await StopAsync();
        Assert.Single(LoopDevices());

        await StartAsync();

        var held = Assert.Single((await FindAsync()).Mounts);
        Assert.Equal((lease, Web, docker.Toolbox, "tests"), (held.LeaseId, held.Container, held.Image, Assert.Single(held.Holders)));
        Assert.Equal(("", true), await UnmountAsync());
        Assert.Empty((await FindAsync()).Mounts);
    }

    [Fact]
    public async Task A_lease_ends_when_the_container_ended_while_the_node_was_away()
    {
        await MountAsync();
        await StopAsync();
        await docker.DockerAsync("restart", "-t", "0", Web);

        await StartAsync();

        Assert.Empty((await FindAsync()).Mounts);
        await Eventually.TrueAsync(() => LoopDevices().Count == 0, "the loop device is gone");
    }

    [Fact]
    public async Task A_lease_ends_when_the_command_line_takes_the_mount_away()
    {
        await MountAsync();
        using (var target = await OpenAsync())
            Assert.True(await SharedMount.DetachAsync(target));

        Assert.Empty((await FindAsync()).Mounts);
    }

    [Fact]
    public async Task A_mount_of_the_command_lines_is_adopted_and_can_be_given_back_through_the_node()
    {
        using (var target = await OpenAsync())
        using (var image = AttachedImage.Attach(docker.Toolbox))
            await SharedMount.AttachAsync(target, image);

        Assert.Equal(MountLease.OnTheHost, Assert.Single(Assert.Single((await FindAsync()).Mounts).Holders));
        Assert.Equal(("", true), await UnmountAsync());
        Assert.Empty((await FindAsync()).Mounts);
    }

    [Fact]
    public async Task A_file_that_is_torn_costs_the_holders_name_and_nothing_else()
    {
        await MountAsync();
        await StopAsync();
        File.WriteAllText(Path.Combine(_state.FullName, "leases.json"), "{ \"version\": 1, \"le");

        await StartAsync();

        Assert.Equal(MountLease.OnTheHost, Assert.Single(Assert.Single((await FindAsync()).Mounts).Holders));
        Assert.Single(_state.GetFiles("leases.json.bad-*"));
        await UnmountAsync();
    }

    [Fact]
    public async Task A_session_of_the_command_line_keeps_its_mount_and_a_person_cannot_take_it_unforced()
    {
        using var target = await OpenAsync();
        using var image = AttachedImage.Attach(docker.Toolbox);
        var spec = new ToolSpec { Arguments = ["sleep", "1000"], SessionName = $"{_name}-local/1", Shared = true };
        await using (await ToolProcess.StartAsync(target, image, spec, ToolStreams.OutputPipes))
        {
            var mount = Assert.Single((await FindAsync()).Mounts);
            Assert.Equal(("", 0), (mount.LeaseId, mount.Holders.Count));
            var (problem, _) = await UnmountAsync();
            Assert.Contains("(sleep)", problem, StringComparison.Ordinal);
            Assert.Contains("--force", problem, StringComparison.Ordinal);
            Assert.NotNull(SharedMount.Find(target));
        }

        Assert.Null(SharedMount.Find(target));
    }

    [Fact]
    public async Task A_mount_that_the_node_was_asked_for_stays_when_a_session_of_the_command_line_ends()
    {
        await MountAsync();
        using var target = await OpenAsync();
        using var image = AttachedImage.Attach(docker.Toolbox);
        var spec = new ToolSpec { Arguments = ["sleep", "0"], SessionName = $"{_name}-local/2", Shared = true };
        await using (var tool = await ToolProcess.StartAsync(target, image, spec, ToolStreams.OutputPipes))
            await tool.Exited;

        Assert.NotNull(SharedMount.Find(target));
        Assert.Equal(("", true), await UnmountAsync());
    }

    private async Task StartAsync()
    {
        _system = ActorSystem.Create("test", ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF }"));
        var settings = new NodeSettings(
            _name, docker.Toolbox, _state.FullName, 1L << 30, new HostPort("127.0.0.1", 0), [], null, docker.Socket, 1L << 30, 100, 1L << 30, TimeSpan.FromDays(7), TimeSpan.FromSeconds(1),
            TimeSpan.Zero, new AuditSettings(_state.FullName, new AuditLimits(1 << 20, 1 << 30, null)), LogLevel.None);
        _node = await NodeService.OpenAsync(settings, identity: null, NullLoggerFactory.Instance);
        _node.Populate(_system);
    }

    private async Task StopAsync()
    {
        await _node!.DrainAsync(_system);
        await _system.Terminate();
        _node!.Dispose();
    }

    private async Task<TargetProcess> OpenAsync() => TargetProcess.Open(await docker.PidAsync(Web));

    private Task<ImageMounted> MountAsync() =>
        AskAsync<ImageMounted>(new MountImage { ContainerId = _container, Holder = "tests" });

    private async Task<(string Problem, bool WasMounted)> UnmountAsync()
    {
        var answer = await AskAsync<ImageUnmounted>(new UnmountImage { ContainerId = _container });
        return (answer.Problem, answer.WasMounted);
    }

    // Other tests' containers may have a mount, too.
    private Task<LeasesFound> FindAsync() => AskAsync<LeasesFound>(new FindLeases { Selector = "app=lease-web" });

    private Task<T> AskAsync<T>(object question) => _system.ActorSelection("/user/node").Ask<T>(question, Eventually.Patience);

    private List<LoopDeviceInfo> LoopDevices() => [.. LoopDeviceInfo.List().Where(device => device.BackingFile == docker.Toolbox)];
}
