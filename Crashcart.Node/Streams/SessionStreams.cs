using System.Collections.Concurrent;
using Crashcart.Actors.Node.Ports;
using Grpc.Net.Client;
using Protocol = Crashcart.Actors.Protocol;

namespace Crashcart.Node.Streams;

/// <summary>Dials coordinators by gRPC; all sessions of one coordinator share its connections.</summary>
internal sealed class SessionStreams : ISessionStreams, IDisposable
{
    // What may be under way to a tool that does not read; the other direction's is the coordinator's to set.
    private const int StreamWindow = 1 << 20;

    private readonly ConcurrentDictionary<string, GrpcChannel> _channels = new();

    public async Task<ISessionCall> DialAsync(string endpoint, ReadOnlyMemory<byte> ticket, CancellationToken cancellation)
    {
        var client = new Protocol.SessionStreams.SessionStreamsClient(_channels.GetOrAdd(endpoint, Open));
        // The token is for dialling alone: what comes after is ended by disposing the call.
        var call = new SessionCall(client.Attach(cancellationToken: CancellationToken.None), endpoint);
        try
        {
            await call.PresentAsync(ticket, cancellation).ConfigureAwait(false);
            return call;
        }
        catch
        {
            await call.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
            channel.Dispose();
    }

    private static GrpcChannel Open(string endpoint)
    {
        var coordinator = CoordinatorEndpoint.Parse(endpoint);
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellation) => coordinator.ConnectAsync(cancellation),
            // A connection carries a limited number of calls, and each session is one.
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = StreamWindow,
            // A coordinator whose host is gone ends no connection by itself; its sessions are to end within 10 s.
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            KeepAlivePingDelay = TimeSpan.FromSeconds(3),
            KeepAlivePingTimeout = TimeSpan.FromSeconds(4),
            ConnectTimeout = TimeSpan.FromSeconds(5),
            UseProxy = false,
        };
        return GrpcChannel.ForAddress(coordinator.Address, new GrpcChannelOptions { HttpHandler = handler, DisposeHttpClient = true });
    }
}
