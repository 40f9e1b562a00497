using System.Diagnostics;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Identity;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Limits;

/// <summary>Connections that mean no good, a thousand of them, and those who have work to do.</summary>
public sealed class FloodTests(TlsFleet fleet) : IClassFixture<TlsFleet>
{
    private const int Hostile = 1000;

    /// <summary>The beginning of a TLS handshake record, RFC 8446 section 5.1, of which the rest never comes.</summary>
    private static readonly byte[] HalfHandshake = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03];

    private static readonly byte[] SilentHttp2 = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];

    private readonly Random _random = new(4711);

    [Fact]
    public async Task While_a_thousand_hostile_connections_are_open_everybody_else_is_served_as_always()
    {
        TimeSpan usual = await MedianRun();
        (IPEndPoint Listener, PeerRole Role)[] listeners =
            [(fleet.Settings.Listen!, PeerRole.User), (await StreamListener(), PeerRole.Node), (IPEndPoint.Parse(fleet.Coordinator.ClusterAddress), PeerRole.Node)];
        Dictionary<PeerRole, X509Certificate2> stolen = new[] { PeerRole.User, PeerRole.Node }
            .ToDictionary(role => role, role => IdentityFiles.Read(fleet.Authority.Issue(role, "mallory")).Certificate);
        var open = new Stream[Hostile];
        await Parallel.ForAsync(0, Hostile, async (i, _) =>
        {
            (IPEndPoint listener, PeerRole role) = listeners[i % listeners.Length];
            open[i] = await OpenHostile(listener, i % 4, stolen[role]);
        });

        TimeSpan flooded = await MedianRun();

        Assert.InRange(flooded, TimeSpan.Zero, 3 * usual + TimeSpan.FromMilliseconds(50));
        using GrpcChannel alice = TestAuthority.Dial(
            $"https://{fleet.Settings.Listen}",
            IdentityFiles.Read(fleet.Authority.Issue(PeerRole.User, "alice")).Certificate,
            new Trust(fleet.Authority.Authority.Certificate, null));
        await new Fleet.FleetClient(alice).ListNodesAsync(new ListNodesRequest());
        using MemberIdentity identity = fleet.Authority.Open(PeerRole.Node, "late");
        await using var late = new PlayedNode(identity, "late", PlayedNode.Container("web-late"));
        await late.JoinAsync(fleet.Coordinator.ClusterAddress);
        foreach (Stream stream in open)
            await stream.DisposeAsync();
    }

    private async Task<TimeSpan> MedianRun()
    {
        const int Runs = 9;
        var times = new List<TimeSpan>();
        for (int i = 0; i < Runs; i++)
        {
            var clock = Stopwatch.StartNew();
            using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
            await run.StartedAsync();
            using PlayedStream tool = await fleet.Node.ToolAsync();
            await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
            await tool.ExitAsync(0);
            await run.SessionEndedAsync();
            await run.EndedAsync();
            times.Add(clock.Elapsed);
        }

        return times.Order().ElementAt(Runs / 2);
    }

    private async Task<IPEndPoint> StreamListener()
    {
        using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
        return IPEndPoint.Parse(new Uri((await fleet.Node.SessionAsync()).Start.StreamEndpoint).Authority);
    }

    private async Task<Stream> OpenHostile(IPEndPoint listener, int kind, X509Certificate2 stolen)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener);
        var stream = new NetworkStream(socket, ownsSocket: true);
        try
        {
            switch (kind)
            {
                case 1:
                    await stream.WriteAsync(HalfHandshake);
                    break;
                case 2:
                    await stream.WriteAsync(Garbage());
                    break;
                case 3:
                    var tls = new SslStream(stream);
                    await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
                    {
                        TargetHost = "127.0.0.1",
                        ClientCertificates = [stolen],
                        ApplicationProtocols = [SslApplicationProtocol.Http2],
                        RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
                    });
                    await tls.WriteAsync(SilentHttp2);
                    return tls;
            }
        }
        catch (Exception closed) when (closed is IOException or AuthenticationException)
        {
            // By the coordinator, as it may.
        }

        return stream;
    }

    private byte[] Garbage()
    {
        byte[] garbage = new byte[4096];
        lock (_random)
            _random.NextBytes(garbage);
        return garbage;
    }
}
