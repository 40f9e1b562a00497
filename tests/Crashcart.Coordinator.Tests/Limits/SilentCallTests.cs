using System.Net;
using System.Net.Http.Headers;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Tests.Doubles;

namespace Crashcart.Coordinator.Tests.Limits;

/// <summary>Calls whose one message never comes.</summary>
public sealed class SilentCallTests
{
    [Fact]
    public async Task They_are_ended()
    {
        CoordinatorSettings settings = TestCoordinator.Settings();
        settings = settings with { Listen = TestCoordinator.FreeEndPoint() };
        await using TestCoordinator coordinator = await TestCoordinator.StartAsync(settings);

        await Task.WhenAll(IsEnded(settings.Listen, "crashcart.api.Fleet/ListNodes"), IsEnded(settings.Listen, "crashcart.api.Leases/Mount"));
    }

    private static async Task IsEnded(IPEndPoint coordinator, string method)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"http://{coordinator}/{method}")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
            Content = new SilentContent(),
        };

        using HttpResponseMessage response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead).WaitAsync(TimeSpan.FromSeconds(30));

        Assert.Equal("4", Assert.Single(response.Headers.GetValues("grpc-status")));
        Assert.Equal("The request did not come within 10 s.", Uri.UnescapeDataString(Assert.Single(response.Headers.GetValues("grpc-message"))));
    }

    /// <summary>A body that begins and does not go on.</summary>
    private sealed class SilentContent : HttpContent
    {
        public SilentContent() => Headers.ContentType = new MediaTypeHeaderValue("application/grpc");

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await stream.WriteAsync(new byte[] { 0, 0, 0 });
            await stream.FlushAsync();
            await Task.Delay(Timeout.Infinite);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
