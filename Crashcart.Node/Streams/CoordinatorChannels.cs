using System.Collections.Concurrent;
using Crashcart.Actors.Node.Ports;
using Grpc.Net.Client;

namespace Crashcart.Node.Streams;

/// <summary>Connections to coordinators for one purpose: all calls of one coordinator share them.</summary>
/// <param name="streamWindow">Bytes that one call may have under way to this node.</param>
internal sealed class CoordinatorChannels(int streamWindow) : IDisposable
{
    private readonly ConcurrentDictionary<string, GrpcChannel> _channels = new();

    /// <param name="endpoint">http://HOST:PORT or unix:PATH</param>
    /// <exception cref="NodeException">The endpoint is not to be dialled.</exception>
    public GrpcChannel To(string endpoint) => _channels.GetOrAdd(endpoint, Open);

    public void Dispose()
    {
        foreach (var channel in _channels.Values)
            channel.Dispose();
    }

    private GrpcChannel Open(string endpoint)
    {
        var coordinator = CoordinatorEndpoint.Parse(endpoint);
        var handler = new SocketsHttpHandler
        {
            ConnectCallback = (_, cancellation) => coordinator.ConnectAsync(cancellation),
            // A connection carries a limited number of calls.
            EnableMultipleHttp2Connections = true,
            InitialHttp2StreamWindowSize = streamWindow,
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
