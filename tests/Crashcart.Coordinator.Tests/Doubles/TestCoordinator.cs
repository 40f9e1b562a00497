using System.Net;
using System.Net.Sockets;
using Crashcart.Api;
using Crashcart.Audit;
using Crashcart.Coordinator.Hosting;
using Crashcart.Node.Auditing;
using Crashcart.Node.Identity;
using Grpc.Net.Client;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ApiNode = Crashcart.Api.Node;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>A real coordinator in this process, on a socket in a directory of its own, and a client of it.</summary>
internal sealed class TestCoordinator : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _stop = new();
    private readonly GrpcChannel _channel;
    private readonly Task _process;

    private TestCoordinator(CoordinatorSettings settings, SoloNode? node, ILoggerFactory logs)
    {
        Socket = settings.Socket;
        StateDirectory = settings.StateDirectory;
        AuditDirectory = settings.Audit.Directory;
        ClusterAddress = settings.ClusterListen.ToString();
        _process = Task.Run(() => new CoordinatorProcess(settings, node, logs).RunAsync(_stop.Token));
        _channel = Dial(settings.Socket);
        Client = new Fleet.FleetClient(_channel);
        Runs = new Runs.RunsClient(_channel);
        Leases = new Leases.LeasesClient(_channel);
        Images = new Crashcart.Api.Images.ImagesClient(_channel);
    }

    public string Socket { get; }

    /// <summary>What other members have as their seed.</summary>
    public string ClusterAddress { get; }

    public Fleet.FleetClient Client { get; }

    public Runs.RunsClient Runs { get; }

    public Leases.LeasesClient Leases { get; }

    public Crashcart.Api.Images.ImagesClient Images { get; }

    public string StateDirectory { get; }

    public string AuditDirectory { get; }

    /// <summary>One that speaks TLS, and serves clients by TCP too.</summary>
    public static CoordinatorSettings Settings(TestAuthority authority, string name, params IEnumerable<string> seeds) => Settings(seeds) with
    {
        TlsDirectory = authority.Issue(PeerRole.Coordinator, name),
        AuthorityDirectory = authority.Location,
        Listen = new IPEndPoint(IPAddress.Loopback, FreePort()),
    };

    public static CoordinatorSettings Settings(params IEnumerable<string> seeds)
    {
        var cluster = new IPEndPoint(IPAddress.Loopback, FreePort());
        var directory = Directory.CreateTempSubdirectory("crashcart-coordinator-");
        return new CoordinatorSettings(
            Path.Combine(directory.FullName, "c.sock"),
            null,
            new IPEndPoint(IPAddress.Loopback, 0),
            cluster,
            JoinListen: null,
            [.. seeds],
            TlsDirectory: null,
            AuthorityDirectory: Path.Combine(directory.FullName, "ca"),
            Path.Combine(directory.FullName, "state"),
            ImageMax: 1 << 20,
            ImageTransfers: 2,
            null,
            new AuditSettings(directory.FullName + "-audit", new AuditLimits(1 << 20, 1 << 30, null)),
            LogLevel.Information);
    }

    /// <summary>Runs until it fails.</summary>
    public static Task ServeAsync(CoordinatorSettings settings) =>
        Task.Run(() => new CoordinatorProcess(settings, null, NullLoggerFactory.Instance).RunAsync(CancellationToken.None)).WaitAsync(Patience);

    /// <summary>Starts it, and returns when it serves.</summary>
    public static async Task<TestCoordinator> StartAsync(
        CoordinatorSettings? settings = null, SoloNode? node = null, ILoggerFactory? logs = null)
    {
        var coordinator = new TestCoordinator(settings ?? Settings(), node, logs ?? NullLoggerFactory.Instance);
        await coordinator.NodesAsync(_ => true);
        return coordinator;
    }

    /// <summary>The nodes, as soon as the coordinator sees them so.</summary>
    public async Task<IReadOnlyList<ApiNode>> NodesAsync(Func<IReadOnlyList<ApiNode>, bool> expected)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            if (_process.IsCompleted)
                await _process;
            try
            {
                var listed = await Client.ListNodesAsync(new ListNodesRequest(), cancellationToken: patience.Token);
                if (expected(listed.Nodes))
                    return listed.Nodes;
            }
            catch (Grpc.Core.RpcException e) when (e.StatusCode == Grpc.Core.StatusCode.Unavailable && !patience.IsCancellationRequested)
            {
                // It is starting, or joining.
                await Task.Yield();
            }
        }
    }

    /// <summary>Returns when it serves no more for the moment.</summary>
    public async Task RefusedAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            while (true)
                await Client.ListNodesAsync(new ListNodesRequest(), cancellationToken: patience.Token);
        }
        catch (Grpc.Core.RpcException e) when (e.StatusCode == Grpc.Core.StatusCode.Unavailable && !patience.IsCancellationRequested)
        {
            // So it is.
        }
    }

    public TestRun Run(RunRequest request, CancellationToken cancellation = default) => TestRun.Start(Client, request, cancellation);

    /// <summary>What SIGTERM does.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _process.WaitAsync(Patience);
    }

    public async ValueTask DisposeAsync()
    {
        _channel.Dispose();
        await StopAsync();
        if (Directory.Exists(Path.GetDirectoryName(Socket)))
            Directory.Delete(Path.GetDirectoryName(Socket)!, recursive: true);
        if (Directory.Exists(AuditDirectory))
            Directory.Delete(AuditDirectory, recursive: true);
        _stop.Dispose();
    }

    /// <summary>A client of whatever listens at the path.</summary>
    public static GrpcChannel Dial(string path) => Dial(async cancellation =>
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    });

    public static GrpcChannel Dial(Func<CancellationToken, Task<Socket>> connect) => GrpcChannel.ForAddress("http://localhost", new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) => new NetworkStream(await connect(cancellation), ownsSocket: true),
        },
    });

    public static IPEndPoint FreeEndPoint() => new(IPAddress.Loopback, FreePort());

    // Below the range from which the kernel gives ports away.
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(20_000, 32_000);
            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: the next may be free.
            }
        }
    }
}
