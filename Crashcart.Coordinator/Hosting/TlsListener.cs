using System.Collections.Concurrent;
using System.Net.Security;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Coordinator.Auditing;
using Crashcart.Node.Identity;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Crashcart.Coordinator.Hosting;

/// <summary>
/// TLS 1.3 with client certificates, for one role each listener. A certificate that is revoked while its connection is open ends the
/// connection.
/// </summary>
internal sealed class TlsListener : IDisposable
{
    /// <summary>A client that is silent holds a connection no longer.</summary>
    private static readonly TimeSpan HandshakePatience = TimeSpan.FromSeconds(5);

    private readonly MemberIdentity _identity;
    private readonly PeerRole _welcome;
    private readonly HandshakeWatch _watch;
    private readonly ILogger _log;
    private readonly ConcurrentDictionary<ConnectionContext, X509Certificate2> _open = new();

    public TlsListener(MemberIdentity identity, PeerRole welcome, Denials denials, ILogger log)
    {
        _watch = new HandshakeWatch(denials);
        _identity = identity;
        _welcome = welcome;
        _log = log;
        _identity.Changed += EndThoseNotWelcome;
    }

    public void Apply(ListenOptions listen)
    {
        _watch.Apply(listen);
        listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = made => ValueTask.FromResult(Handshake(made.Connection)), HandshakeTimeout = HandshakePatience });
        listen.Use(next => connection => Watch(connection, next));
    }

    public void Dispose() => _identity.Changed -= EndThoseNotWelcome;

    private SslServerAuthenticationOptions Handshake(BaseConnectionContext connection) => new()
    {
        ServerCertificate = _identity.Certificate,
        ClientCertificateRequired = true,
        EnabledSslProtocols = SslProtocols.Tls13,
        // Every connection shows its certificate anew.
        AllowTlsResume = false,
        ApplicationProtocols = [SslApplicationProtocol.Http2],
        RemoteCertificateValidationCallback = (_, shown, _, _) => IsWelcome(shown, connection),
    };

    private bool IsWelcome(X509Certificate? shown, BaseConnectionContext connection)
    {
        try
        {
            return _identity.Trust.Require(shown, host: null, _welcome) is not null;
        }
        catch (AuthenticationException e)
        {
            TlsLog.Refused(_log, e.Message);
            HandshakeWatch.Refuse(connection, e.Message);
            return false;
        }
    }

    private async Task Watch(ConnectionContext connection, ConnectionDelegate next)
    {
        if (connection.Features.Get<ITlsConnectionFeature>()?.ClientCertificate is not { } certificate)
        {
            connection.Abort();
            return;
        }
        _open[connection] = certificate;
        HandshakeWatch.Take(connection);
        try
        {
            // It may have been revoked since the handshake, when this connection was not among the others yet.
            if (_identity.Trust.Refusal(certificate, _welcome) is null)
                await next(connection);
        }
        finally
        {
            _open.TryRemove(connection, out _);
        }
    }

    private void EndThoseNotWelcome()
    {
        foreach ((ConnectionContext connection, X509Certificate2 certificate) in _open)
        {
            if (_identity.Trust.Refusal(certificate, _welcome) is not { } why)
                continue;
            TlsLog.Ended(_log, connection.RemoteEndPoint?.ToString() ?? "", why);
            connection.Abort(new ConnectionAbortedException("The certificate was revoked."));
        }
    }
}

internal static partial class TlsLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "A connection is not taken: {Reason}")]
    public static partial void Refused(ILogger log, string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The connection from {Address} is ended: its peer {Reason}")]
    public static partial void Ended(ILogger log, string address, string reason);
}
