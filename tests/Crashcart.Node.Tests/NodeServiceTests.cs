using System.Text;
using System.Text.Json;
using Akka.Actor;
using Akka.Configuration;
using Crashcart.Actors.Protocol;
using Crashcart.Audit;
using Crashcart.Native;
using Crashcart.Node.Auditing;
using Crashcart.Node.Configuration;
using Crashcart.Node.Tests.Host;
using Crashcart.Node.Tests.Streams;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Node.Tests;

/// <summary>A whole node on the real kernel and a real Docker, with a coordinator that the test plays.</summary>
[Collection(DockerTests.Name)]
public sealed class NodeServiceTests(DockerHost docker) : IAsyncLifetime
{
    private const string Web = "node-web";

    private readonly ActorSystem _system = ActorSystem.Create("test", ConfigurationFactory.ParseString("akka { loglevel = OFF, stdout-loglevel = OFF }"));
    private readonly string _name = $"test-{Guid.NewGuid():N}";
    private readonly DirectoryInfo _state = Directory.CreateTempSubdirectory("node-");
    private NodeService? _node;

    private ActorSelection Node => _system.ActorSelection("/user/node");

    public async Task InitializeAsync()
    {
        await docker.RunContainerAsync(Web, "--label", "app=node-web");
        _node = await NodeService.OpenAsync(Settings(), identity: null, NullLoggerFactory.Instance);
        _node.Populate(_system);
        await Eventually.TrueAsync(async () => (await FindAsync("", Web)).Containers.Count == 1, "the node has seen the container");
    }

    public async Task DisposeAsync()
    {
        await _node!.DrainAsync(_system);
        await _system.Terminate();
        _node.Dispose();
        _state.Delete(recursive: true);
        await docker.DockerAsync("rm", "-f", Web);
        Assert.Empty(LoopDevices());
        Assert.Empty(Cgroups());
    }

    [Fact]
    public async Task Describes_itself()
    {
        NodeDescribed? described = null;
        await Eventually.TrueAsync(
            async () => (described = await Node.Ask<NodeDescribed>(new DescribeNode())) is { ImageDigests: [_], Runtimes: [{ Problem: "" }] },
            "image and runtime are known");

        Assert.Equal(_name, described!.Node);
        Assert.Equal(Product.Version, described.Version);
        Assert.Equal("docker", Assert.Single(described.Runtimes).Name);
        var digest = (await Command.RunAsync("sha256sum", docker.Toolbox)).Split(' ')[0];
        Assert.Equal("sha256:" + digest, Assert.Single(described.ImageDigests));
    }

    [Fact]
    public async Task Finds_containers_by_label_name_and_id()
    {
        var byLabel = Assert.Single((await FindAsync("app=node-web", "")).Containers);

        Assert.Equal(Web, byLabel.Name);
        Assert.Equal(byLabel, Assert.Single((await FindAsync("", Web)).Containers));
        Assert.Equal(byLabel, Assert.Single((await FindAsync("", byLabel.Id[..12])).Containers));
        Assert.Empty((await FindAsync("app=db", "")).Containers);
    }

    [Fact]
    public async Task Runs_a_tool_and_leaves_nothing()
    {
        await using var session = await StartAsync("sh", "-c", "echo out; echo err >&2; exit 3");

        Assert.Equal("", (await session.OverAsync()).Problem);

        Assert.Equal(("out\n", "err\n", 3), (session.Output, session.Errors, session.Exit!.ExitCode));
        await Eventually.TrueAsync(() => LoopDevices().Count == 0, "the loop device is gone", TimeSpan.FromSeconds(1));
        Assert.Empty(Cgroups());
    }

    [Fact]
    public async Task Bytes_go_through_a_tool_unchanged()
    {
        await using var session = await StartAsync(["cat"], tool => tool.Stdin = true);
        var sent = string.Concat(Enumerable.Range(0, 50_000).Select(i => $"{i}\n"));

        await session.SendAsync(new CoordinatorFrame { Stdin = ByteString.CopyFromUtf8(sent) });
        await session.SendAsync(new CoordinatorFrame { StdinClosed = new StdinClosed() });
        await session.OverAsync();

        Assert.Equal(sent, session.Output);
        Assert.Equal(0, session.Exit!.ExitCode);
    }

    [Fact]
    public async Task A_terminal_is_one_inside_the_container()
    {
        await using var session = await StartAsync(["tty"], tool => tool.Terminal = new TerminalDescription { Rows = 24, Columns = 80 });

        await session.OverAsync();

        Assert.StartsWith("/dev/pts/", session.Output);
    }

    [Fact]
    public async Task A_signal_ends_the_tool()
    {
        await using var session = await StartAsync("sleep", "1000");
        await session.BeganAsync();

        Node.Tell(new SignalSession { SessionId = session.Id, Signal = 15 });
        await session.OverAsync();

        Assert.Equal(143, session.Exit!.ExitCode);
    }

    [Fact]
    public async Task An_unknown_tool_is_127()
    {
        await using var session = await StartAsync("nosuch");

        await session.OverAsync();

        Assert.Equal(127, session.Exit!.Failure.ExitCode);
    }

    [Fact]
    public async Task A_shared_session_s_mount_is_seen_by_the_container_and_goes_with_the_session()
    {
        await using (var session = await StartAsync(["ls", "/proc/1/root/dev/crashcart"], tool => tool.Shared = true))
        {
            await session.OverAsync();
            Assert.Equal("bin\n", session.Output);
        }

        var pid = await docker.PidAsync(Web);
        await Eventually.TrueAsync(
            () => !File.ReadAllText($"/proc/{pid}/mountinfo").Contains("/dev/crashcart", StringComparison.Ordinal), "the mount is gone");
    }

    [Fact]
    public async Task Killing_the_container_frees_the_loop_device_within_a_second()
    {
        await using var session = await StartAsync("sleep", "1000");
        await session.BeganAsync();
        Assert.Single(LoopDevices());

        await docker.DockerAsync("kill", Web);

        await Eventually.TrueAsync(() => LoopDevices().Count == 0, "the loop device is gone", TimeSpan.FromSeconds(1));
        await session.OverAsync();
        Assert.Equal(137, session.Exit!.ExitCode);
    }

    [Fact]
    public async Task Losing_the_coordinator_kills_the_tool_within_a_second()
    {
        var session = await StartAsync("sh", "-c", "trap '' HUP TERM; while :; do sleep 1; done");
        await session.BeganAsync();

        await session.DisposeAsync();

        await Eventually.TrueAsync(() => Cgroups().Count == 0, "the tool is gone", TimeSpan.FromSeconds(1));
        Assert.Contains("broke", (await session.OverAsync()).Problem);
    }

    [Fact]
    public async Task Ending_a_session_asks_its_tool_to_go()
    {
        await using var session = await StartAsync("sleep", "1000");
        await session.BeganAsync();

        Node.Tell(new EndSession { SessionId = session.Id }, ActorRefs.NoSender);
        await session.OverAsync();

        Assert.Equal(129, session.Exit!.ExitCode);
    }

    [Fact]
    public async Task The_audit_log_has_a_session_before_its_tool_and_how_it_ended()
    {
        await using var session = await StartAsync("sh", "-c", "exit 3");
        await session.OverAsync();

        JsonElement[] lines = [];
        await Eventually.TrueAsync(
            async () => (lines = [.. File.ReadLines(Directory.GetFiles(Path.Combine(_state.FullName, "audit", "node"), "*.jsonl")[0])
                .Select(line => JsonDocument.Parse(line).RootElement)
                .Where(line => Text(line, "session") == session.Id)]).Length == 2,
            "both lines are there");

        Assert.Equal(["session.start", "session.end"], lines.Select(line => Text(line, "event")));
        Assert.All(lines, line => Assert.Equal(("user alice", "192.0.2.1", "run-test", "debug"), (Text(line, "user"), Text(line, "from"), Text(line, "run"), Text(line, "profile"))));
        Assert.Equal("ticket 7", Text(lines[0], "reason"));
        Assert.Equal(["sh", "-c", "exit 3"], lines[0].GetProperty("args").EnumerateArray().Select(argument => argument.GetString()));
        Assert.Equal(3, lines[1].GetProperty("exit").GetInt32());

        static string? Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString() : null;
    }

    [Fact]
    public async Task A_name_is_used_once_on_a_host()
    {
        var error = await Assert.ThrowsAsync<CrashcartException>(() => NodeService.OpenAsync(Settings(), identity: null, NullLoggerFactory.Instance));

        Assert.Contains($"a node named {_name} runs on this host already", error.Message);
    }

    private NodeSettings Settings() => new(
        _name, docker.Toolbox, _state.FullName, 1L << 30, new HostPort("127.0.0.1", 0), [], null, docker.Socket, 1L << 30, 100, 1L << 30, TimeSpan.FromDays(7), TimeSpan.FromSeconds(1),
        TimeSpan.Zero, new AuditSettings(Path.Combine(_state.FullName, "audit"), new AuditLimits(1 << 20, 1 << 30, null)), LogLevel.None);

    private Task<ContainersFound> FindAsync(string selector, string container) =>
        Node.Ask<ContainersFound>(new FindContainers { Selector = selector, Container = container }, Eventually.Patience);

    private Task<PlayedSession> StartAsync(params string[] arguments) => StartAsync(arguments, _ => { });

    private async Task<PlayedSession> StartAsync(string[] arguments, Action<ToolDescription> adjust)
    {
        var container = Assert.Single((await FindAsync("", Web)).Containers);
        var tool = new ToolDescription { Argv = { arguments } };
        adjust(tool);
        return await PlayedSession.StartAsync(_system, Node, container.Id, tool);
    }

    private List<LoopDeviceInfo> LoopDevices() => [.. LoopDeviceInfo.List().Where(d => d.BackingFile == docker.Toolbox)];

    private List<string> Cgroups() =>
        [.. Directory.EnumerateDirectories("/sys/fs/cgroup", _name, new EnumerationOptions { RecurseSubdirectories = true, MaxRecursionDepth = 3 })];
}
