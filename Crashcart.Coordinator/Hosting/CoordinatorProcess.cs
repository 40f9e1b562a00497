using System.Net;
using System.Net.Sockets;
using Akka.Actor;
using Crashcart.Actors;
using Crashcart.Actors.Fleet;
using Crashcart.Audit;
using Crashcart.Coordinator.Api;
using Crashcart.Coordinator.Auditing;
using Crashcart.Coordinator.Authority;
using Crashcart.Coordinator.Images;
using Crashcart.Coordinator.Limits;
using Crashcart.Coordinator.Policies;
using Crashcart.Coordinator.Recordings;
using Crashcart.Coordinator.Streams;
using Crashcart.Native;
using Crashcart.Node;
using Crashcart.Node.Auditing;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;
using Crashcart.Node.Images;
using Grpc.AspNetCore.Server;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Crashcart.Coordinator.Hosting;

/// <summary>
/// A coordinator from start to end: the listener for clients, the listener for the nodes' streams, and the cluster. The two
/// listeners are two servers, so that neither serves what is the other's.
/// </summary>
/// <param name="node">The node in this process: the fleet is this machine alone. Null: the nodes are other processes.</param>
internal sealed class CoordinatorProcess(CoordinatorSettings settings, SoloNode? node, ILoggerFactory logs)
{
    private const string Group = "crashcart";
    private const int MaxFrame = 1 << 20;

    /// <summary>Of one node's connection; it makes another for more.</summary>
    private const int MaxNodeStreams = 250;

    /// <summary>What one session may have under way that its client has not taken yet, in bytes: 100 MB/s where a round trip takes no more than 1.3 ms.</summary>
    private const int NodeStreamWindow = 256 << 10;

    /// <summary>Of one client's connection; its other calls wait.</summary>
    private const int MaxClientStreams = 100;

    /// <summary>Of a client's call, in bytes; more than <see cref="CallGate.MaxRequest"/>.</summary>
    private const int ClientStreamWindow = 512 << 10;

    /// <summary>What a connection may have of output that its socket has not taken yet, in bytes.</summary>
    private const int ResponseBuffer = 256 << 10;

    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode RootAndGroup = RootOnly | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(2);

    private readonly FleetGate _gate = new();
    private readonly StreamTickets _tickets = new();
    private readonly ImageTickets _imageTickets = new(TimeProvider.System);
    private readonly ImageStore _store = new(settings.StateDirectory, logs.CreateLogger<ImageStore>());
    private readonly ILogger _log = logs.CreateLogger<CoordinatorProcess>();

    /// <summary>In solo mode nothing but this process dials the streams.</summary>
    private string StreamSocket => settings.Socket + ".streams";

    /// <summary>Runs until it is asked to stop; then everything that it started has ended.</summary>
    /// <exception cref="SettingsException">The socket is another's.</exception>
    /// <exception cref="IOException">A listener's address is taken.</exception>
    public async Task RunAsync(CancellationToken stop)
    {
        using AuditTrail trail = settings.Audit.Open("coordinator", logs.CreateLogger<AuditLog>());
        AuditLog audit = trail.Log;
        // Short-lived commands write it; it is on one host of the fleet.
        trail.Follow(AuthorityLog.In(settings.AuthorityDirectory), "crashcart-ca");
        RecordingStore recordings = Recordings(audit);
        using var denials = new Denials(audit, TimeProvider.System);
        using MemberIdentity? identity = Identity();
        using TlsListener? forNodes = Tls(identity, PeerRole.Node, denials);
        using TlsListener? forUsers = Tls(identity, PeerRole.User, denials);
        using var policy = new PolicyStore(settings.PolicyPath, TimeProvider.System, logs.CreateLogger<PolicyStore>());
        SocketFile.Claim(settings.Socket, UnixGroup.Find(Group));
        if (node is not null)
            SocketFile.Claim(StreamSocket, group: null);
        try
        {
            await using WebApplication streams = StreamServer(forNodes);
            await using WebApplication clients = ClientServer(forUsers, policy, identity, audit, denials, recordings);
            await using WebApplication? joining = settings.JoinListen is { } join ? JoinServer.Create(join, identity!, log => JoinService(log, denials), denials, logs) : null;
            await Start(streams, settings.StreamListen);
            if (node is not null)
                File.SetUnixFileMode(StreamSocket, RootOnly);
            _gate.Announce(node is not null ? "unix:" + StreamSocket : StreamEndpoint(streams));
            if (joining is not null)
                await Start(joining, settings.JoinListen);
            await Serve(clients, identity, new RecordingShelf(recordings, audit.Directory), stop);
            if (joining is not null)
                await Stop(joining);
            await Stop(streams);
            await recordings.CloseAsync();
        }
        finally
        {
            File.Delete(settings.Socket);
            if (node is not null)
                File.Delete(StreamSocket);
        }
    }

    private async Task Serve(WebApplication clients, MemberIdentity? identity, RecordingShelf recordings, CancellationToken stop)
    {
        var cluster = new ClusterHost(Cluster(identity), system => Populate(system, recordings), LeaveCluster, new AkkaLog(logs).Write);
        using var leaving = new CancellationTokenSource();
        Task membership = cluster.RunAsync(leaving.Token);
        try
        {
            if (!membership.IsFaulted)
            {
                await Start(clients, settings.Listen);
                Protect(settings.Socket);
                HostLog.Ready(_log, settings.Socket, node is not null ? "alone" : settings.ClusterListen.ToString());
                await Task.WhenAny(membership, Task.Delay(Timeout.Infinite, stop));
                HostLog.Stopping(_log);
                // Runs first: their clients are told, and their sessions end while the cluster still carries the news.
                await EndRuns();
                await Stop(clients);
            }
        }
        finally
        {
            await leaving.CancelAsync();
            await membership;
        }
    }

    private async Task EndRuns()
    {
        if (_gate.Actor is not { } fleet)
            return;
        _gate.Actor = null;
        try
        {
            await fleet.GracefulStop(StopPatience);
        }
        catch (TaskCanceledException)
        {
            // Stopping the servers breaks what is left.
        }
    }

    private ClusterSettings Cluster(MemberIdentity? identity) => node is not null
        ? new ClusterSettings("localhost", null, [ClusterSettings.CoordinatorRole, ClusterSettings.NodeRole], [])
        : new ClusterSettings(
            settings.ClusterListen.Address.ToString(), settings.ClusterListen.Port, [ClusterSettings.CoordinatorRole], settings.Seeds)
        {
            Identity = identity,
        };

    private MemberIdentity? Identity() => settings.TlsDirectory is { } directory
        ? new MemberIdentity(
            directory,
            settings.StateDirectory,
            PeerRole.Coordinator,
            TimeProvider.System,
            logs.CreateLogger<MemberIdentity>(),
            Path.Combine(settings.AuthorityDirectory, IdentityFiles.RevocationName))
        : null;

    private TlsListener? Tls(MemberIdentity? identity, PeerRole welcome, Denials denials) =>
        identity is null ? null : new TlsListener(identity, welcome, denials, logs.CreateLogger<TlsListener>());

    private void Populate(ActorSystem system, RecordingShelf recordings)
    {
        node?.Populate(system);
        _gate.Images = system.ActorOf(FleetImagesActor.Props(Shelf()), FleetImagesActor.Name);
        _gate.Recordings = system.ActorOf(FleetRecordingsActor.Props(recordings), FleetRecordingsActor.Name);
        _gate.Actor = system.ActorOf(FleetActor.Props(), "fleet");
    }

    private RecordingStore Recordings(AuditLog audit)
    {
        var store = new RecordingStore(
            Path.Combine(settings.StateDirectory, "recordings"), settings.Recordings, TimeProvider.System, logs.CreateLogger<RecordingStore>());
        store.Deleted += gone => audit.Note(new AuditEvent("recording.deleted")
        {
            Node = gone.Header.Node,
            Container = gone.Header.Container,
            ContainerId = gone.Header.ContainerId,
            Session = gone.Header.Id,
            Recording = gone.Header.Id,
            RecordingBytes = gone.Size,
        });
        return store;
    }

    private JoinService JoinService(ILogger<JoinService> log, Denials denials) =>
        new(settings.AuthorityDirectory, settings.Seeds.Count > 0 ? settings.Seeds : [settings.ClusterListen.ToString()], denials, log);

    private ImageShelf Shelf() => new(_store, _imageTickets, _gate.StreamEndpoint);

    private Task LeaveCluster(ActorSystem system) => node?.Drain(system) ?? Task.CompletedTask;

    private WebApplication StreamServer(TlsListener? tls)
    {
        var usage = new UserUsage(UserLimits.OfNode);
        ConnectionRoom nodes = Connections(usage);
        WebApplicationBuilder builder = Builder(MaxNodeStreams, NodeStreamWindow, kestrel =>
        {
            // A node whose host is gone ends no connection by itself; its loss is to be told within 10 s.
            kestrel.Limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(3);
            kestrel.Limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(4);
            if (node is not null)
                kestrel.ListenUnixSocket(StreamSocket, listen => listen.Protocols = HttpProtocols.Http2);
            else
                Listen(kestrel, settings.StreamListen, tls, nodes);
        });
        builder.Services.AddSingleton<IMemoryPoolFactory<byte>, LargeBlocks>();
        builder.WebHost.UseSockets(sockets => sockets.WaitForDataBeforeAllocatingBuffer = false);
        builder.Services.AddSingleton(_tickets);
        builder.Services.AddSingleton(_store).AddSingleton(_imageTickets).AddSingleton(new Turns(settings.ImageTransfers));
        WebApplication server = builder.Build();
        server.Use(new CallGate(usage).Enter);
        server.MapGrpcService<SessionStreamsService>();
        server.MapGrpcService<ImageTransfersService>();
        return server;
    }

    private WebApplication ClientServer(TlsListener? tls, PolicyStore policy, MemberIdentity? identity, AuditLog audit, Denials denials, RecordingStore recordings)
    {
        var peers = new PeerCheck(UnixGroup.Find(Group));
        var usage = new UserUsage(settings.Limits);
        WebApplicationBuilder builder = Builder(MaxClientStreams, ClientStreamWindow, kestrel =>
        {
            kestrel.ListenUnixSocket(settings.Socket, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                listen.Use(next => connection => peers.Check(connection, next));
                Connections(usage).Count(listen);
            });
            if (settings.Listen is { } address)
                Listen(kestrel, address, tls, Connections(usage));
        });
        builder.Services.AddSingleton(_tickets).AddSingleton(_gate).AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new ImageDesk(_gate)).AddSingleton(new ImagePush(_store, settings.ImageMax)).AddSingleton<IImageShelf>(Shelf());
        GrantSigner? signer = identity is null ? null : new GrantSigner(identity, TimeProvider.System);
        builder.Services.AddSingleton(usage).AddSingleton(policy).AddSingleton(new PolicyGate(policy, signer, logs.CreateLogger<PolicyGate>())).AddSingleton<RunOwners>();
        builder.Services.AddSingleton(audit).AddSingleton(denials).AddSingleton(recordings);
        builder.Services.Configure<GrpcServiceOptions>(options =>
        {
            options.Interceptors.Add<DenialInterceptor>();
            options.Interceptors.Add<PeerInterceptor>();
            options.Interceptors.Add<AuditInterceptor>();
        });
        WebApplication server = builder.Build();
        server.Use(new CallGate(usage).Enter);
        server.MapGrpcService<FleetService>();
        server.MapGrpcService<LeasesService>();
        server.MapGrpcService<RunsService>();
        server.MapGrpcService<ImagesService>();
        server.MapGrpcService<AuditService>();
        server.MapGrpcService<RecordingsService>();
        server.MapGrpcService<PoliciesService>();
        return server;
    }

    /// <param name="maxStreams">Of one connection.</param>
    /// <param name="window">What each may have under way that nobody has read yet, in bytes.</param>
    private WebApplicationBuilder Builder(int maxStreams, int window, Action<KestrelServerOptions> listen) => GrpcServer.Builder(logs, MaxFrame, kestrel =>
    {
        // A session is one call that may be silent for hours.
        kestrel.Limits.MinRequestBodyDataRate = null;
        kestrel.Limits.MinResponseDataRate = null;
        kestrel.Limits.MaxRequestBodySize = null;
        kestrel.Limits.MaxResponseBufferSize = ResponseBuffer;
        kestrel.Limits.Http2.MaxStreamsPerConnection = maxStreams;
        kestrel.Limits.Http2.InitialStreamWindowSize = window;
        // Sessions of a node share connections: each one's window has room for all of them, so that none stalls another.
        kestrel.Limits.Http2.InitialConnectionWindowSize = maxStreams * window;
        listen(kestrel);
    });

    private ConnectionRoom Connections(UserUsage usage) => new(usage, logs.CreateLogger<ConnectionRoom>());

    private static void Listen(KestrelServerOptions kestrel, IPEndPoint address, TlsListener? tls, ConnectionRoom connections) => kestrel.Listen(address, listen =>
    {
        listen.Protocols = HttpProtocols.Http2;
        connections.Guard(listen);
        tls?.Apply(listen);
        connections.Count(listen);
    });

    /// <summary>What nodes dial: the address that is bound, or the one by which members know this coordinator where all are.</summary>
    private string StreamEndpoint(WebApplication streams)
    {
        var bound = new UriBuilder(streams.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        if (settings.StreamListen.Address.Equals(IPAddress.Any) || settings.StreamListen.Address.Equals(IPAddress.IPv6Any))
            bound.Host = settings.ClusterListen.Address.ToString();
        return bound.Uri.GetLeftPart(UriPartial.Authority);
    }

    /// <summary>Between bind(2) and here the umask keeps the socket to root; the peer check holds from the start.</summary>
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

    /// <exception cref="IOException">The address is taken or not this host's.</exception>
    private static async Task Start(WebApplication server, IPEndPoint? address)
    {
        try
        {
            await server.StartAsync(CancellationToken.None);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            throw new IOException($"Could not listen on {address}: {e.GetBaseException().Message}.", e);
        }
    }

    private static async Task Stop(WebApplication server)
    {
        using var patience = new CancellationTokenSource(StopPatience);
        await server.StopAsync(patience.Token);
    }
}

/// <summary>A node that lives in the coordinator's process.</summary>
internal sealed record SoloNode(Action<ActorSystem> Populate, Func<ActorSystem, Task> Drain);

internal static partial class HostLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Ready for clients on {Socket}, in the cluster on {Cluster}")]
    public static partial void Ready(ILogger log, string socket, string cluster);

    [LoggerMessage(Level = LogLevel.Information, Message = "Stopping")]
    public static partial void Stopping(ILogger log);
}
