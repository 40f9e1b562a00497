using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Remote.Transport;

namespace Crashcart.Actors.Remoting;

/// <summary>
/// Remoting over TLS 1.3 (RFC 8446) with certificates on both sides. Akka's own transport speaks no TLS 1.3, keeps the certificate that it
/// was started with, and does not know whose a connection is; here a certificate can be renewed, and one that is revoked ends its
/// connections.
/// </summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Akka ends it by Shutdown.")]
internal sealed class TlsTransport : Transport
{
    public const string Scheme = "ssl.tcp";

    /// <summary>Akka's name for it puts the protocol before the transport.</summary>
    public const string AddressScheme = "akka." + Scheme;

    /// <summary>For the connection and for the handshake, each.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <summary>That a member may have dialled and left open; it needs one.</summary>
    private const int MostOfOneMember = 8;

    private readonly string _host;
    private readonly int _port;
    private readonly IMemberIdentity _identity;
    private readonly ILoggingAdapter _log;
    private readonly Handshakes _handshakes = new();

    // And whether the peer dialled.
    private readonly ConcurrentDictionary<TlsConnection, bool> _connections = new();
    private readonly TaskCompletionSource<IAssociationEventListener> _listener = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Socket? _server;
    private Address _self = Address.AllSystems;

    /// <remarks>Akka makes it, by the name of its class.</remarks>
    public TlsTransport(ActorSystem system, Config config)
    {
        System = system;
        Config = config;
        SchemeIdentifier = Scheme;
        MaximumPayloadBytes = config.GetByteSize("maximum-frame-size", null) ?? throw new ConfigurationException("maximum-frame-size is not set.");
        _host = config.GetString("hostname", null);
        _port = config.GetInt("port");
        _identity = system.Settings.Setup.Get<MemberIdentitySetup>().Value.Identity;
        _log = Logging.GetLogger(system, this);
    }

    public override bool IsResponsibleFor(Address remote) => true;

    public override async Task<(Address, TaskCompletionSource<IAssociationEventListener>)> Listen()
    {
        EndPoint local = await Resolve(_host, _port).ConfigureAwait(false);
        _server = new Socket(local.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        // A process that is started anew takes its port over from connections that are not quite closed yet, socket(7).
        _server.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
        _server.Bind(local);
        _server.Listen();
        _self = new Address(Scheme, System.Name, _host, ((IPEndPoint)_server.LocalEndPoint!).Port);
        _identity.Changed += EndThoseNotWelcome;
        _ = AcceptAsync(_server);
        return (_self, _listener);
    }

    public override async Task<AssociationHandle> Associate(Address remoteAddress)
    {
        string host = remoteAddress.Host;
        using var patience = new CancellationTokenSource(Patience);
        Socket socket = NewSocket();
        try
        {
            await socket.ConnectAsync(host, remoteAddress.Port!.Value, patience.Token).ConfigureAwait(false);
            var tls = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false);
            patience.CancelAfter(Patience);
            await tls.AuthenticateAsClientAsync(AsClient(host), patience.Token).ConfigureAwait(false);
            return Take(tls, remoteAddress, isDialled: false);
        }
        catch (Exception e) when (e is SocketException or IOException or AuthenticationException or OperationCanceledException or ObjectDisposedException)
        {
            socket.Dispose();
            string why = e is OperationCanceledException ? $"no answer within {Patience.TotalSeconds:0} s" : e.GetBaseException().Message;
            if (e is AuthenticationException)
                _log.Warning("Member {0}:{1} is not dialled: {2}", host, remoteAddress.Port, why);
            throw new InvalidAssociationException($"Could not connect to member {host}:{remoteAddress.Port}: {why}", e);
        }
    }

    public override async Task<bool> Shutdown()
    {
        _identity.Changed -= EndThoseNotWelcome;
        _server?.Dispose();
        _handshakes.Dispose();
        await Task.WhenAll(_connections.Keys.Select(connection => connection.CloseAsync())).ConfigureAwait(false);
        return true;
    }

    private async Task AcceptAsync(Socket server)
    {
        IAssociationEventListener listener = await _listener.Task.ConfigureAwait(false);
        while (true)
        {
            Socket socket;
            try
            {
                socket = await server.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return;
            }
            catch (SocketException e)
            {
                // Out of descriptors, or the peer is gone already: neither is to end the listening.
                _log.Warning("A member's connection could not be taken: {0}", e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(100)).ConfigureAwait(false);
                continue;
            }
            _ = GreetAsync(socket, listener);
        }
    }

    private async Task GreetAsync(Socket socket, IAssociationEventListener listener)
    {
        IPEndPoint? peer = null;
        using Handshakes.Place place = _handshakes.Begin(Patience, socket);
        try
        {
            peer = (IPEndPoint)socket.RemoteEndPoint!;
            socket.NoDelay = true;
            var tls = new SslStream(new NetworkStream(socket, ownsSocket: true), leaveInnerStreamOpen: false);
            await tls.AuthenticateAsServerAsync(AsServer(), place.Over).ConfigureAwait(false);
            TlsConnection connection = Take(tls, new Address(Scheme, System.Name, peer.Address.ToString(), peer.Port), isDialled: true);
            EndOldest(connection.Peer.Subject);
            listener.Notify(new InboundAssociation(connection));
        }
        catch (Exception e) when (e is IOException or AuthenticationException or OperationCanceledException or ObjectDisposedException or SocketException)
        {
            socket.Dispose();
            _log.Warning("Connection from {0} is not taken: {1}", peer?.ToString() ?? "a peer that is gone", e is OperationCanceledException ? "it made no handshake in time" : e.GetBaseException().Message);
        }
    }

    private TlsConnection Take(SslStream tls, Address peer, bool isDialled)
    {
        var connection = new TlsConnection(_self, peer, tls, _identity.NameOf, (int)MaximumPayloadBytes, _log);
        _connections.TryAdd(connection, isDialled);
        _ = connection.Closed.ContinueWith(_ => _connections.TryRemove(connection, out bool _), TaskScheduler.Default);
        // The identity may have changed since the handshake, when this connection was not among the others yet.
        if (_identity.Refusal(connection.Peer) is not null)
            _ = connection.CloseAsync();
        return connection;
    }

    /// <summary>A host that loses its power leaves connections behind, so it is the oldest that give way.</summary>
    private void EndOldest(string member)
    {
        var dialled = _connections.Where(connection => connection.Value && connection.Key.Peer.Subject == member).Select(connection => connection.Key);
        foreach (TlsConnection oldest in dialled.OrderBy(connection => connection.Began).SkipLast(MostOfOneMember))
        {
            _log.Warning("The connection with {0} is ended: {1} has more than {2}", oldest.RemoteAddress, member, MostOfOneMember);
            _ = oldest.CloseAsync();
        }
    }

    private void EndThoseNotWelcome()
    {
        foreach (TlsConnection connection in _connections.Keys)
        {
            if (_identity.Refusal(connection.Peer) is not { } why)
                continue;
            _log.Warning("The connection with {0} is ended: it {1}", connection.RemoteAddress, why);
            _ = connection.CloseAsync();
        }
    }

    private SslServerAuthenticationOptions AsServer() => new()
    {
        ServerCertificate = _identity.Certificate,
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls13,
        // Every connection shows its certificate anew.
        AllowTlsResume = false,
        RemoteCertificateValidationCallback = (_, shown, _, _) => _identity.Require(shown, host: null) is not null,
    };

    private SslClientAuthenticationOptions AsClient(string host) => new()
    {
        TargetHost = host,
        ClientCertificates = [_identity.Certificate],
        EnabledSslProtocols = SslProtocols.Tls13,
        AllowTlsResume = false,
        RemoteCertificateValidationCallback = (_, shown, _, _) => _identity.Require(shown, host) is not null,
    };

    private static Socket NewSocket() => new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private static async Task<IPEndPoint> Resolve(string host, int port)
    {
        IPAddress[] addresses = await Dns.GetHostAddressesAsync(host).ConfigureAwait(false);
        return new IPEndPoint(addresses[0], port);
    }
}
