using System.Net;
using Crashcart.Actors.Protocol;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Tests.Streams;

internal delegate Task Play(IAsyncStreamReader<NodeFrame> node, IServerStreamWriter<CoordinatorFrame> answer, CancellationToken lost);

/// <summary>A coordinator's end of the data plane, on the loopback or a Unix socket; each test plays its part.</summary>
internal sealed class TestCoordinator : IAsyncDisposable
{
    private readonly WebApplication _server;

    private TestCoordinator(WebApplication server, string endpoint)
    {
        _server = server;
        Endpoint = endpoint;
    }

    public string Endpoint { get; }

    public static async Task<TestCoordinator> StartAsync(Play play, string? socket = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton(play);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Protocols = HttpProtocols.Http2);
            kestrel.Limits.Http2.InitialStreamWindowSize = 128 * 1024;
            if (socket is null)
                kestrel.Listen(IPAddress.Loopback, 0);
            else
                kestrel.ListenUnixSocket(socket);
        });
        var server = builder.Build();
        server.MapGrpcService<Service>();
        await server.StartAsync();
        var bound = server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return new TestCoordinator(server, socket is null ? bound : "unix:" + socket);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private sealed class Service(Play play) : SessionStreams.SessionStreamsBase
    {
        public override Task Attach(
            IAsyncStreamReader<NodeFrame> requestStream, IServerStreamWriter<CoordinatorFrame> responseStream, ServerCallContext context) =>
            play(requestStream, responseStream, context.CancellationToken);
    }
}
