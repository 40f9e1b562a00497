using System.Buffers.Binary;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Protocol;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Identity;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Limits;

/// <summary>What one node may make a coordinator hold at its listener for streams.</summary>
public sealed class NodeLimitTests(TlsFleet fleet) : IClassFixture<TlsFleet>
{
    private const int Window = 256 << 10;
    private const int Streams = 250;
    private const int Connections = 8;

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    /// <summary>A client's preface and an empty frame of settings, RFC 9113 section 3.4.</summary>
    private static readonly byte[] Preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, 4, 0, 0, 0, 0, 0];

    /// <summary>The coordinator says itself what it takes before it reads any of it, RFC 9113 sections 6.5 and 6.9.</summary>
    [Fact]
    public async Task A_connection_has_room_for_so_many_calls_and_so_much_of_each()
    {
        await using SslStream node = await Connect(await StreamsAsync(), Certificate("ant"));
        await node.WriteAsync(Preface);

        int maxStreams = 0, streamWindow = 65_535, connectionWindow = 65_535;
        while (maxStreams == 0 || connectionWindow == 65_535)
        {
            byte[] head = new byte[9];
            await node.ReadExactlyAsync(head).AsTask().WaitAsync(Soon);
            byte[] content = new byte[(head[0] << 16) | (head[1] << 8) | head[2]];
            await node.ReadExactlyAsync(content).AsTask().WaitAsync(Soon);
            if (head[3] == 8)
                connectionWindow += BinaryPrimitives.ReadInt32BigEndian(content);
            for (int at = 0; head[3] == 4 && at < content.Length; at += 6)
            {
                int value = BinaryPrimitives.ReadInt32BigEndian(content.AsSpan(at + 2));
                if (content[at + 1] == 3)
                    maxStreams = value;
                else if (content[at + 1] == 4)
                    streamWindow = value;
            }
        }

        Assert.Equal((Streams, Window, Streams * Window), (maxStreams, streamWindow, connectionWindow));
    }

    [Fact]
    public async Task A_node_with_more_sessions_than_fit_on_a_connection_makes_another()
    {
        using GrpcChannel channel = Dial(await StreamsAsync(), Certificate("bat"));
        var streams = new SessionStreams.SessionStreamsClient(channel);
        List<AsyncDuplexStreamingCall<NodeFrame, CoordinatorFrame>> silent = [.. Enumerable.Range(0, Streams).Select(_ => streams.Attach())];

        Assert.Equal(StatusCode.PermissionDenied, await Attach(streams));

        silent.ForEach(call => call.Dispose());
    }

    [Fact]
    public async Task A_node_has_so_many_connections_and_others_have_theirs()
    {
        IPEndPoint listener = await StreamsAsync();
        X509Certificate2 certificate = Certificate("cow");
        List<GrpcChannel> channels = [.. Enumerable.Range(0, Connections + 1).Select(_ => Dial(listener, certificate))];
        foreach (GrpcChannel channel in channels.SkipLast(1))
            Assert.Equal(StatusCode.PermissionDenied, await Attach(new SessionStreams.SessionStreamsClient(channel)));

        Assert.Equal(StatusCode.ResourceExhausted, await Attach(new SessionStreams.SessionStreamsClient(channels[^1])));
        using GrpcChannel other = Dial(listener, Certificate("dog"));
        Assert.Equal(StatusCode.PermissionDenied, await Attach(new SessionStreams.SessionStreamsClient(other)));

        channels.ForEach(channel => channel.Dispose());
    }

    /// <returns>What comes of a ticket that is none.</returns>
    private static async Task<StatusCode> Attach(SessionStreams.SessionStreamsClient streams)
    {
        using AsyncDuplexStreamingCall<NodeFrame, CoordinatorFrame> call = streams.Attach(deadline: DateTime.UtcNow + Soon);
        try
        {
            await call.RequestStream.WriteAsync(new NodeFrame { Ticket = ByteString.CopyFromUtf8("guess") });
            await call.ResponseStream.MoveNext();
            return StatusCode.OK;
        }
        catch (RpcException refusal)
        {
            return refusal.StatusCode;
        }
    }

    private async Task<IPEndPoint> StreamsAsync()
    {
        using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
        return IPEndPoint.Parse(new Uri((await fleet.Node.SessionAsync()).Start.StreamEndpoint).Authority);
    }

    private X509Certificate2 Certificate(string name) => IdentityFiles.Read(fleet.Authority.Issue(PeerRole.Node, name)).Certificate;

    private static GrpcChannel Dial(IPEndPoint listener, X509Certificate2 certificate) => GrpcChannel.ForAddress($"https://{listener}", new GrpcChannelOptions
    {
        DisposeHttpClient = true,
        HttpHandler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            SslOptions = new SslClientAuthenticationOptions { ClientCertificates = [certificate], RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null },
        },
    });

    private static async Task<SslStream> Connect(IPEndPoint listener, X509Certificate2 certificate)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(listener);
        var tls = new SslStream(new NetworkStream(socket, ownsSocket: true));
        await tls.AuthenticateAsClientAsync(new SslClientAuthenticationOptions
        {
            TargetHost = "127.0.0.1",
            ClientCertificates = [certificate],
            ApplicationProtocols = [SslApplicationProtocol.Http2],
            RemoteCertificateValidationCallback = (_, shown, _, _) => shown is not null,
        });
        return tls;
    }
}
