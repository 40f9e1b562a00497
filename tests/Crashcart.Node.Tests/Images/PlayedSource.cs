using System.Net;
using Crashcart.Actors.Protocol;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Tests.Images;

internal delegate Task Give(ImageRequest request, IServerStreamWriter<ImagePart> node, CancellationToken lost);

/// <summary>A coordinator's end of a transfer on the loopback; each test plays its part.</summary>
internal sealed class PlayedSource : IAsyncDisposable
{
    private readonly WebApplication _server;
    private readonly List<ImageRequest> _requests = [];

    private PlayedSource(Give give)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddGrpc();
        builder.Services.AddSingleton<Give>((request, node, lost) =>
        {
            lock (_requests)
                _requests.Add(request);
            return give(request, node, lost);
        });
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2));
        _server = builder.Build();
        _server.MapGrpcService<Service>();
    }

    public string Endpoint { get; private set; } = "";

    public IReadOnlyList<ImageRequest> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    public static async Task<PlayedSource> StartAsync(Give give)
    {
        var source = new PlayedSource(give);
        await source._server.StartAsync();
        source.Endpoint = source._server.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();
        return source;
    }

    /// <summary>Gives the image from the offset on, to <paramref name="end"/>.</summary>
    public static Task<PlayedSource> OfAsync(byte[] image, int? end = null) =>
        StartAsync((request, node, _) => SendAsync(node, image.AsMemory((int)request.Offset..(end ?? image.Length))));

    public static async Task SendAsync(IServerStreamWriter<ImagePart> node, ReadOnlyMemory<byte> data)
    {
        for (var at = 0; at < data.Length; at += 10_000)
            await node.WriteAsync(new ImagePart { Data = ByteString.CopyFrom(data.Span[at..Math.Min(at + 10_000, data.Length)]) });
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private sealed class Service(Give give) : ImageTransfers.ImageTransfersBase
    {
        public override Task Fetch(ImageRequest request, IServerStreamWriter<ImagePart> responseStream, ServerCallContext context) =>
            give(request, responseStream, context.CancellationToken);
    }
}
