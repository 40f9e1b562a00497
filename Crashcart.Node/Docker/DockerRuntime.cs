using System.Globalization;
using System.Net.Sockets;
using Crashcart.Actors;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Ports;
using Docker.DotNet;
using Docker.DotNet.Models;

namespace Crashcart.Node.Docker;

/// <summary>Docker's Engine API; podman's service answers it too.</summary>
/// <remarks>https://docs.docker.com/reference/api/engine/</remarks>
internal sealed class DockerRuntime : IContainerRuntime, IDisposable
{
    private const int InspectAtOneTime = 8;

    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(10);

    // What can change whether a container runs, or what it is called. Podman says "died" where Docker says "die".
    private static readonly string[] Events = ["start", "die", "died", "pause", "unpause", "rename"];

    private readonly DockerSocket _socket;
    private readonly TimeProvider _time;
    private readonly DockerClientConfiguration _configuration;
    private readonly DockerClient _unversioned;
    private volatile DockerClient _client;

    public DockerRuntime(DockerSocket socket, TimeProvider time)
    {
        _socket = socket;
        _time = time;
        _configuration = new DockerClientConfiguration(socket.Address, defaultTimeout: AnswerPatience);
        _client = _unversioned = _configuration.CreateClient();
    }

    public string Name => "docker";

    public Task<RuntimeSnapshot> SnapshotAsync(CancellationToken cancellation) => AnswerAsync(async () =>
    {
        // Events are told from a second before the list, so that none falls between; one told twice does no harm.
        var mark = _time.GetUtcNow().AddSeconds(-1).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);
        var version = await NegotiateAsync(cancellation).ConfigureAwait(false);
        var running = await _client.Containers.ListContainersAsync(new ContainersListParameters(), cancellation).ConfigureAwait(false);

        var containers = new Container?[running.Count];
        var limit = new ParallelOptions { MaxDegreeOfParallelism = InspectAtOneTime, CancellationToken = cancellation };
        await Parallel.ForAsync(0, running.Count, limit, async (i, c) =>
            containers[i] = await InspectAsync(new ContainerId(running[i].ID), c).ConfigureAwait(false)).ConfigureAwait(false);
        return new RuntimeSnapshot(version, mark, [.. containers.OfType<Container>()]);
    });

    public Task<IReadOnlyList<ContainerId>> ListAsync(CancellationToken cancellation) => AnswerAsync(async () =>
    {
        var running = await _client.Containers.ListContainersAsync(new ContainersListParameters(), cancellation).ConfigureAwait(false);
        return (IReadOnlyList<ContainerId>)[.. running.Select(c => new ContainerId(c.ID))];
    });

    public Task WatchAsync(string mark, Action<ContainerId> changed, CancellationToken cancellation) => AnswerAsync(async () =>
    {
        var parameters = new ContainerEventsParameters
        {
            Since = mark,
            Filters = new Dictionary<string, IDictionary<string, bool>>
            {
                ["type"] = new Dictionary<string, bool> { ["container"] = true },
                ["event"] = Events.ToDictionary(e => e, _ => true),
            },
        };
        await _client.System.MonitorEventsAsync(parameters, new EventSink(changed), cancellation).ConfigureAwait(false);
        return true;
    });

    public Task<Container?> InspectAsync(ContainerId id, CancellationToken cancellation) => AnswerAsync(async () =>
    {
        try
        {
            return Running(await _client.Containers.InspectContainerAsync(id.Value, cancellation).ConfigureAwait(false));
        }
        catch (DockerContainerNotFoundException)
        {
            return null;
        }
    });

    public void Dispose()
    {
        _client.Dispose();
        _unversioned.Dispose();
        _configuration.Dispose();
    }

    // A daemon may be older or newer than this client, and may have been replaced since the last time.
    private async Task<string> NegotiateAsync(CancellationToken cancellation)
    {
        var answer = await _unversioned.System.GetVersionAsync(cancellation).ConfigureAwait(false);
        if (_client != _unversioned)
            _client.Dispose();
        _client = System.Version.TryParse(answer.APIVersion, out var version) ? _configuration.CreateClient(version) : _unversioned;
        return answer.Version;
    }

    private Container? Running(ContainerInspectResponse found) => found.State is { Running: true, Pid: > 0 } state
        ? new Container(
            new ContainerId(found.ID),
            (int)state.Pid,
            found.Name.TrimStart('/'),
            found.Config.Image,
            state.Paused ? "paused" : "running",
            Name,
            found.Config.Labels?.ToDictionary() ?? [],
            Started(state.StartedAt))
        : null;

    private static long Started(string time) =>
        DateTimeOffset.TryParse(time, CultureInfo.InvariantCulture, out var started) ? started.ToUnixTimeMilliseconds() : 0;

    private async Task<T> AnswerAsync<T>(Func<Task<T>> question)
    {
        try
        {
            return await question().ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException or IOException or TimeoutException or DockerApiException)
        {
            throw new NodeException(
                NodeFailure.Failed,
                $"Docker does not answer at {_socket} ({Reason(e)}): start it, or name its socket with docker-host.",
                e);
        }
    }

    private string Reason(Exception e) => e switch
    {
        DockerApiException => e.Message.TrimEnd('.'),
        // The socket's own error for that speaks of addresses.
        _ when !File.Exists(_socket.Address.AbsolutePath) => "there is no such socket",
        _ => e.GetBaseException().Message.TrimEnd('.'),
    };

    // Not Progress<T>, which would pass events on in any order.
    private sealed class EventSink(Action<ContainerId> changed) : IProgress<Message>
    {
        public void Report(Message value) => changed(new ContainerId(value.Actor?.ID ?? value.ID));
    }
}
