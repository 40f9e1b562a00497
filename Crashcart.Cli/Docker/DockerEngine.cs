using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Crashcart.Cli.Sockets;
using Crashcart.Native;

namespace Crashcart.Cli.Docker;

/// <summary>The one question that Crashcart asks the Docker Engine API: which process is this container?</summary>
internal sealed class DockerEngine : IDisposable
{
    // The Engine answers from memory; one that takes longer than this hangs.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly DockerEndpoint _endpoint;
    private readonly HttpClient _client;

    public DockerEngine(DockerEndpoint endpoint)
    {
        _endpoint = endpoint;
        var handler = new SocketsHttpHandler { UseProxy = false };
        if (endpoint.SocketPath is { } path)
            handler.ConnectCallback = async (_, cancellation) => await UnixSocket.ConnectAsync(path, cancellation);
        _client = new HttpClient(handler) { BaseAddress = endpoint.Url, Timeout = Patience };
    }

    /// <summary>The container that a name, an id or the beginning of one means; null when there is none.</summary>
    /// <exception cref="CrashcartException"><see cref="FailureReason.Unavailable"/>: no Engine answers; or it refuses, and says why.</exception>
    public async Task<ContainerInspection?> InspectAsync(string container)
    {
        try
        {
            using var response = await _client.GetAsync($"/containers/{Uri.EscapeDataString(container)}/json");
            if (response.StatusCode == HttpStatusCode.NotFound)
                return null;
            using var body = await response.Content.ReadAsStreamAsync();
            if (response.IsSuccessStatusCode)
                return await JsonSerializer.DeserializeAsync(body, DockerJson.Default.ContainerInspection);
            var error = await JsonSerializer.DeserializeAsync(body, DockerJson.Default.DockerError);
            throw new CrashcartException(
                FailureReason.BadRequest, $"Docker at {_endpoint.Text} does not tell about '{container}': {error?.Message ?? response.ReasonPhrase}.");
        }
        catch (HttpRequestException e)
        {
            throw Unavailable(e.InnerException is SocketException socket ? UnixSocket.Describe(socket, _endpoint.SocketPath, "docker") : e.Message, e);
        }
        catch (TaskCanceledException e)
        {
            throw Unavailable($"no answer in {Patience.TotalSeconds:0} s", e);
        }
        catch (JsonException e)
        {
            throw Unavailable("its answer is not the Docker Engine's", e);
        }
    }

    public void Dispose() => _client.Dispose();

    private CrashcartException Unavailable(string reason, Exception cause) =>
        new(FailureReason.Unavailable, $"Cannot reach Docker at {_endpoint.Text}: {reason}.", cause);
}
