using System.Net;
using System.Runtime.InteropServices;
using Akka.Actor;
using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Coordinator.Api;
using Crashcart.Coordinator.Streams;
using Crashcart.Native;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Crashcart.Coordinator.Hosting;

/// <summary>
/// A coordinator from start to end: the listener for clients, the listener for the nodes' streams, and the cluster. The two
/// listeners are two servers, so that neither serves what is the other's.
/// </summary>
internal sealed class CoordinatorProcess(CoordinatorSettings settings, ILoggerFactory logs)
{
    private const string Group = "crashcart";
    private const int MaxFrame = 1 << 20;

    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode RootAndGroup = RootOnly | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private readonly FleetGate _gate = new();
    private readonly StreamTickets _tickets = new();
    private readonly ILogger _log = logs.CreateLogger("crashcart");

    /// <summary>In solo mode nothing but this process dials the streams.</summary>
    private string StreamSocket => settings.Socket + ".streams";

    /// <summary>Runs until SIGTERM or SIGINT.</summary>
    /// <returns>The exit status.</returns>
    public async Task<int> RunAsync()
    {
        using var stopping = new CancellationTokenSource();
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal);

        SocketFile.Claim(settings.Socket);
        if (settings.Solo)
            SocketFile.Claim(StreamSocket);
        await using WebApplication streams = StreamServer();
        await using WebApplication clients = ClientServer();
        await streams.StartAsync(CancellationToken.None);
        if (settings.Solo)
            File.SetUnixFileMode(StreamSocket, RootOnly);
        _gate.Announce(settings.Solo ? "unix:" + StreamSocket : BoundAddress(streams));

        var cluster = new ClusterHost(Cluster(), Populate, LeaveCluster, e => AkkaLog.Write(_log, e));
        Task membership = cluster.RunAsync(stopping.Token);
        await clients.StartAsync(CancellationToken.None);
        Protect(settings.Socket);
        HostLog.Ready(_log, settings.Socket, settings.Solo ? "alone" : settings.ClusterListen.ToString());

        await Task.WhenAny(membership, Task.Delay(Timeout.Infinite, stopping.Token));
        HostLog.Stopping(_log);
        // Clients first: that ends their runs, and the sessions on the nodes while the cluster still carries the news.
        await Stop(clients);
        await stopping.CancelAsync();
        await membership;
        await Stop(streams);
        File.Delete(settings.Socket);
        if (settings.Solo)
            File.Delete(StreamSocket);
        return 0;

        void OnSignal(PosixSignalContext context)
        {
            context.Cancel = true;
            stopping.Cancel();
        }
    }

    private ClusterSettings Cluster() => settings.Solo
        ? new ClusterSettings("localhost", null, [ClusterSettings.CoordinatorRole, ClusterSettings.NodeRole], [])
        : new ClusterSettings(
            settings.ClusterListen.Address.ToString(), settings.ClusterListen.Port, [ClusterSettings.CoordinatorRole], settings.Seeds);

    private void Populate(ActorSystem system) => _gate.Actor = system.ActorOf(FleetActor.Props(), "fleet");

    private static Task LeaveCluster(ActorSystem system) => Task.CompletedTask;

    private WebApplication StreamServer()
    {
        WebApplicationBuilder builder = Builder(kestrel =>
        {
            if (settings.Solo)
                kestrel.ListenUnixSocket(StreamSocket, listen => listen.Protocols = HttpProtocols.Http2);
            else
                kestrel.Listen(settings.StreamListen, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddSingleton(_tickets);
        WebApplication server = builder.Build();
        server.MapGrpcService<SessionStreamsService>();
        return server;
    }

    private WebApplication ClientServer()
    {
        var peers = new PeerCheck(UnixGroup.Find(Group));
        WebApplicationBuilder builder = Builder(kestrel =>
        {
            kestrel.ListenUnixSocket(settings.Socket, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => connection => peers.Check(connection, next));
            });
            if (settings.Listen is { } address)
                kestrel.Listen(address, listen => listen.Protocols = HttpProtocols.Http2);
        });
        builder.Services.AddSingleton(_tickets).AddSingleton(_gate);
        builder.Services.Configure<GrpcServiceOptions>(options => options.Interceptors.Add<PeerInterceptor>());
        WebApplication server = builder.Build();
        server.MapGrpcService<FleetService>();
        return server;
    }

    private WebApplicationBuilder Builder(Action<KestrelServerOptions> listen)
    {
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [] });
        builder.Services.AddSingleton(logs);
        // Signals are ours to handle, in the order above.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        builder.Services.AddGrpc(options =>
        {
            options.MaxReceiveMessageSize = MaxFrame;
            options.EnableDetailedErrors = false;
        });
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // A session is one call that may be silent for hours.
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.Http2.MaxStreamsPerConnection = 1000;
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(5);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(5);
            listen(kestrel);
        });
        return builder;
    }

    private static string BoundAddress(WebApplication server) =>
        server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();

    /// <summary>Between bind(2) and here the socket has the mode that the umask left; the peer check holds from the start.</summary>
    private static void Protect(string socket)
    {
        if (UnixGroup.Find(Group) is not { } group)
        {
            File.SetUnixFileMode(socket, RootOnly);
            return;
        }
        UnixGroup.Give(socket, group);
        File.SetUnixFileMode(socket, RootAndGroup);
    }

    private static async Task Stop(WebApplication server)
    {
        using var patience = new CancellationTokenSource(StopPatience);
        await server.StopAsync(patience.Token);
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}

internal static partial class HostLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Ready for clients on {Socket}, in the cluster on {Cluster}")]
    public static partial void Ready(ILogger log, string socket, string cluster);

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopping")]
    public static partial void Stopping(ILogger log);
}
