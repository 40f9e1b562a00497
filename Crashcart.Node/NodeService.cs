using System.Runtime.InteropServices;
using Akka.Actor;
using Crashcart.Actors.Node;
using Crashcart.Actors.Node.Ports;
using Crashcart.Native;
using Crashcart.Node.Auditing;
using Crashcart.Node.Docker;
using Crashcart.Node.Identity;
using Crashcart.Node.Images;
using Crashcart.Node.Kernel;
using Crashcart.Node.Runs;
using Crashcart.Node.Streams;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node;

/// <summary>
/// What of a node outlives its actor systems: its adapters to the kernel, to Docker and to coordinators. It is the same in
/// a process of its own and in a coordinator's.
/// </summary>
public sealed class NodeService : IDisposable
{
    /// <summary>From the kill of a tool until its last output is out and everything is released.</summary>
    private static readonly TimeSpan ReleasePatience = TimeSpan.FromSeconds(5);

    private readonly NodeSettings _settings;
    private readonly ILogger _log;
    private readonly NodeLock _lock;
    private readonly DockerRuntime _docker;
    private readonly SessionStreams _streams;
    private readonly StoredImages _images;
    private readonly AuditTrail _audit;
    private readonly NodePorts _ports;

    private NodeService(NodeSettings settings, MemberIdentity? identity, ILogger log, NodeLock held)
    {
        _settings = settings;
        _log = log;
        _lock = held;
        _docker = new DockerRuntime(settings.Docker, TimeProvider.System);
        _streams = new SessionStreams(identity);
        _audit = settings.Audit.Open(NodeActor.Name, log);
        var kernel = new KernelCalls();
        var store = new ImageStore(settings.StateDirectory, log);
        Sweep(store, log);
        _images = new StoredImages(store, settings.ImageCache, identity, log);
        _ports = new NodePorts(
            [_docker],
            new KernelTargets(kernel),
            new KernelImages(kernel, settings.Image, store),
            _images,
            new KernelSharedMounts(kernel),
            new AuditedTools(new KernelTools(kernel, settings.Name, new SessionLimits(settings.SessionMemory, settings.SessionProcesses)), _audit.Log),
            _streams,
            new RunRecords(settings.StateDirectory, settings.RunOutputBudget, settings.RunOutputAge, TimeProvider.System, log),
            new AuditedMounts(new KernelPeopleMounts(kernel), _audit.Log),
            new LeaseFile(kernel, settings.StateDirectory, TimeProvider.System, log),
            new KernelHostState(kernel, settings.Name),
            new AuditLines(_audit.Log))
        {
            Grants = identity is null ? null : new GrantCheck(identity, settings.Name, TimeProvider.System),
        };
    }

    /// <summary>Takes the node's name on this host; what a killed process of that name has left is then this one's.</summary>
    /// <param name="identity">Null: coordinators are dialled in the clear, on this host.</param>
    /// <exception cref="CrashcartException">Not root; or a node of that name runs already.</exception>
    public static async Task<NodeService> OpenAsync(NodeSettings settings, MemberIdentity? identity, ILoggerFactory loggers)
    {
        var log = loggers.CreateLogger<NodeService>();
        var held = NodeLock.Take(settings.Name);
        // Blocked kernel calls must not keep the pool's few threads from the actors.
        ThreadPool.SetMinThreads(Math.Max(16, Environment.ProcessorCount), 4);
        NodeLog.Starting(log, settings.Name, Product.Version, settings.Image, settings.Docker.ToString());
        return new NodeService(settings, identity, log, held);
    }

    private static void Sweep(ImageStore store, ILogger log)
    {
        try
        {
            ImageSweep.Old(store);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            StoreLog.NotSwept(log, store.Directory, e.Message);
        }
    }

    /// <summary>Starts the node's actors in a system, at <c>/user/node</c>.</summary>
    public void Populate(ActorSystem system)
    {
        var facts = new NodeFacts(
            _settings.Name,
            Product.Version,
            Environment.OSVersion.Version.ToString(),
            RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant(),
            _settings.Linger)
        {
            MaxSessions = _settings.MaxSessions,
        };
        system.ActorOf(NodeActor.Props(facts, _ports, new CordonFile(_settings.StateDirectory)), NodeActor.Name);
    }

    /// <summary>
    /// Takes no more sessions and ends those that are there: their tools are asked at once, and killed when they take longer
    /// than the settings allow. Completes when nothing of them is left; it does not fail.
    /// </summary>
    /// <param name="hurry">When cancelled, tools that are still there are killed.</param>
    public async Task DrainAsync(ActorSystem system, CancellationToken hurry = default)
    {
        NodeLog.Draining(_log, _settings.Name, _settings.GracePeriod.TotalSeconds);
        var node = system.ActorSelection("/user/" + NodeActor.Name);
        try
        {
            var drained = node.Ask<NodeActor.Drained>(new NodeActor.Drain(_settings.GracePeriod), _settings.GracePeriod + ReleasePatience, CancellationToken.None);
            using (hurry.Register(() => node.Tell(new NodeActor.Drain(TimeSpan.Zero))))
                await drained.ConfigureAwait(false);
            NodeLog.Drained(_log, _settings.Name);
        }
        catch (AskTimeoutException e)
        {
            NodeLog.NotDrained(_log, _settings.Name, e.Message);
        }
    }

    public void Dispose()
    {
        _images.Dispose();
        _streams.Dispose();
        _docker.Dispose();
        _audit.Dispose();
        _lock.Dispose();
        NodeLog.Stopped(_log, _settings.Name);
    }
}
