using System.Net;
using System.Net.Security;
using System.Security.Authentication;
using Crashcart.Coordinator.Auditing;
using Crashcart.Coordinator.Authority;
using Crashcart.Coordinator.Limits;
using Crashcart.Node.Identity;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;

namespace Crashcart.Coordinator.Hosting;

/// <summary>
/// The listener for hosts that are not in the fleet yet: TLS 1.3, on which nobody shows a certificate but the coordinator. Everybody can
/// reach it, so that nothing else is served there, and what one can hold of it is small.
/// </summary>
internal static class JoinServer
{
    private const int MaxConnections = 64;
    private const int MaxStreams = 4;
    private const int MaxMessage = 16 << 10;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public static WebApplication Create(
        IPEndPoint address, MemberIdentity identity, Func<ILogger<JoinService>, JoinService> service, Denials denials, ILoggerFactory logs)
    {
        var watch = new HandshakeWatch(denials);
        var arrivals = new Arrivals(MaxConnections);
        WebApplicationBuilder builder = GrpcServer.Builder(logs, MaxMessage, kestrel =>
        {
            kestrel.Limits.Http2.MaxStreamsPerConnection = MaxStreams;
            kestrel.Limits.MaxRequestBodySize = MaxMessage;
            kestrel.Limits.RequestHeadersTimeout = Patience;
            kestrel.Limits.KeepAliveTimeout = Patience;
            kestrel.Listen(address, listen =>
            {
                listen.Protocols = HttpProtocols.Http2;
                arrivals.Guard(listen);
                watch.Apply(listen);
                listen.UseHttps(new TlsHandshakeCallbackOptions { OnConnection = _ => ValueTask.FromResult(Handshake(identity)), HandshakeTimeout = Patience });
                listen.Use(next => connection =>
                {
                    HandshakeWatch.Take(connection);
                    return next(connection);
                });
            });
        });
        builder.Services.AddSingleton(service(logs.CreateLogger<JoinService>()));
        WebApplication server = builder.Build();
        server.MapGrpcService<JoinService>();
        return server;
    }

    private static SslServerAuthenticationOptions Handshake(MemberIdentity identity) => new()
    {
        ServerCertificate = identity.Certificate,
        EnabledSslProtocols = SslProtocols.Tls13,
        AllowTlsResume = false,
        ApplicationProtocols = [SslApplicationProtocol.Http2],
    };
}
