using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Node.Ports;
using Crashcart.Node.Identity;
using Grpc.Net.Client;

namespace Crashcart.Node.Streams;

/// <summary>Connections to coordinators for one purpose: all calls of one coordinator share them.</summary>
internal sealed class CoordinatorChannels : IDisposable
{
    private readonly int _streamWindow;
    private readonly MemberIdentity? _identity;
    private readonly ConcurrentDictionary<string, Connection> _connections = new();

    /// <param name="streamWindow">Bytes that one call may have under way to this node.</param>
    /// <param name="identity">Null: coordinators are dialled in the clear, on this host.</param>
    public CoordinatorChannels(int streamWindow, MemberIdentity? identity)
    {
        _streamWindow = streamWindow;
        _identity = identity;
        _identity?.Changed += EndThoseNotWelcome;
    }

    /// <param name="endpoint">https://HOST:PORT, http://HOST:PORT or unix:PATH</param>
    /// <exception cref="NodeException">The endpoint is not to be dialled.</exception>
    public GrpcChannel To(string endpoint) => _connections.GetOrAdd(endpoint, Open).Channel;

    public void Dispose()
    {
        _identity?.Changed -= EndThoseNotWelcome;
        foreach (var connection in _connections.Values)
            connection.Channel.Dispose();
    }

    private Connection Open(string endpoint)
    {
        var coordinator = CoordinatorEndpoint.Parse(endpoint, _identity is not null);
        var connection = new Connection();
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellation) => coordinator.ConnectAsync(cancellation),
            // A connection carries a limited number of calls.
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = _streamWindow,
            // A coordinator whose host is gone ends no connection by itself; its sessions are to end within 10 s.
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = TimeSpan.FromSeconds(3),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(4),
            ConnectTimeout = TimeSpan.FromSeconds(5),
            UseProxy = false,
        };
        if (_identity is { } identity)
            handler.SslOptions = Tls(identity, coordinator.Address.Host, connection);
        connection.Channel = GrpcChannel.ForAddress(coordinator.Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
        return connection;
    }

    private static SslClientAuthenticationOptions Tls(MemberIdentity identity, string host, Connection connection) => new()
    {
        EnabledSslProtocols = SslProtocols.Tls13,
        AllowTlsResume = false,
        // Asked at every handshake: it may have been renewed.
        LocalCertificateSelectionCallback = (_, _, _, _, _) => identity.Certificate,
        RemoteCertificateValidationCallback = (_, shown, _, _) =>
        {
            connection.Peer = identity.Trust.Require(shown, host, PeerRole.Coordinator);
            return connection.Peer is not null;
        },
    };

    private void EndThoseNotWelcome()
    {
        foreach (var (endpoint, connection) in _connections)
            if (connection.Peer is { } peer && _identity!.Trust.Refusal(peer, PeerRole.Coordinator) is not null && _connections.TryRemove(endpoint, out _))
                connection.Channel.Dispose();
    }

    private sealed class Connection
    {
        public GrpcChannel Channel { get; set; } = null!;

        /// <summary>Whose certificate the coordinator showed last; null before.</summary>
        public volatile X509Certificate2? Peer;
    }
}
