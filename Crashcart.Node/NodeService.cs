using System.Runtime.InteropServices;
using Akka.Actor;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Ports;
using Crashcart.Native;
using Crashcart.Node.Docker;
using Crashcart.Node.Kernel;
using Crashcart.Node.Streams;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node;

/// <summary>
/// What of a node outlives its actor systems: its adapters to the kernel, to Docker and to coordinators. It is the same in
/// a process of its own and in a coordinator's.
/// </summary>
public sealed class NodeService : IDisposable
{
    private readonly NodeSettings _settings;
    private readonly ILogger _log;
    private readonly NodeLock _lock;
    private readonly DockerRuntime _docker;
    private readonly SessionStreams _streams;
    private readonly NodePorts _ports;

    private NodeService(NodeSettings settings, ILogger log, NodeLock held)
    {
        _settings = settings;
        _log = log;
        _lock = held;
        _docker = new DockerRuntime(settings.Docker, TimeProvider.System);
        _streams = new SessionStreams();
        var kernel = new KernelCalls();
        _ports = new NodePorts(
            [_docker],
            new KernelTargets(kernel),
            new KernelImages(kernel, settings.Image),
            new KernelSharedMounts(kernel),
            new KernelTools(kernel, settings.Name, new SessionLimits(settings.SessionMemory, settings.SessionProcesses)),
            _streams);
    }

    /// <summary>Takes the node's name on this host, and removes what a killed process of that name has left.</summary>
    /// <exception cref="CrashcartException">Not root; or a node of that name runs already.</exception>
    public static async Task<NodeService> OpenAsync(NodeSettings settings, ILoggerFactory loggers)
    {
        var log = loggers.CreateLogger<NodeService>();
        var held = NodeLock.Take(settings.Name);
        // Blocked kernel calls must not keep the pool's few threads from the actors.
        ThreadPool.SetMinThreads(Math.Max(16, Environment.ProcessorCount), 4);
        foreach (var session in await LeftoverSessions.RemoveAsync(settings.Name).ConfigureAwait(false))
            NodeLog.RemovedLeftover(log, session);
        NodeLog.Starting(log, settings.Name, Product.Version, settings.Image, settings.Docker.ToString());
        return new NodeService(settings, log, held);
    }

    /// <summary>Starts the node's actors in a system, at <c>/user/node</c>.</summary>
    public void Populate(ActorSystem system)
    {
        var facts = new NodeFacts(
            _settings.Name,
            Product.Version,
            Environment.OSVersion.Version.ToString(),
            RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant());
        system.ActorOf(NodeActor.Props(facts, _ports), NodeActor.Name);
    }

    /// <summary>Ends all sessions; completes when nothing of them is left.</summary>
    public static async Task DrainAsync(ActorSystem system, CancellationToken cancellation = default)
    {
        var node = await system.ActorSelection("/user/" + NodeActor.Name)
            .ResolveOne(TimeSpan.FromSeconds(1), cancellation).ConfigureAwait(false);
        await node.Ask<NodeActor.Drained>(new NodeActor.Drain(), cancellation).ConfigureAwait(false);
    }

    public void Dispose()
    {
        _streams.Dispose();
        _docker.Dispose();
        _lock.Dispose();
        NodeLog.Stopped(_log, _settings.Name);
    }
}
