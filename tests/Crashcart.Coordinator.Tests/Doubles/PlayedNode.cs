using System.Collections.Concurrent;
using System.Threading.Channels;
using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors;
using Crashcart.Actors.Protocol;
using Crashcart.Actors.Remoting;
using Grpc.Net.Client;
using ClusterSettings = Crashcart.Actors.ClusterSettings;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>A member of the cluster that answers as a node does, and has a test play its tools.</summary>
internal sealed class PlayedNode : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ConcurrentDictionary<string, GrpcChannel> _coordinators = new();
    private readonly ConcurrentDictionary<string, PlayedSession> _sessions = new();
    private readonly Channel<PlayedSession> _started = Channel.CreateUnbounded<PlayedSession>();
    private readonly ConcurrentDictionary<string, HeldMount> _mounts = new();
    private readonly ConcurrentDictionary<string, KeptRun> _kept = new();
    private readonly ContainerDescription[] _containers;
    private readonly IMemberIdentity? _identity;
    private int _questions;

    /// <summary>One that speaks TLS.</summary>
    public PlayedNode(IMemberIdentity identity, string name, params ContainerDescription[] containers)
        : this(name, containers) => _identity = identity;

    public PlayedNode(string name, params ContainerDescription[] containers)
    {
        Name = name;
        _containers = containers;
    }

    public string Name { get; }

    /// <summary>It hears questions about containers and does not answer.</summary>
    public bool IsSilent { get; set; }

    /// <summary>It was given no image file.</summary>
    public bool LacksImage { get; set; }

    /// <summary>As it came.</summary>
    public Granted? LastGranted { get; private set; }

    /// <summary>How often it was asked for containers.</summary>
    public int Questions => Volatile.Read(ref _questions);

    public Cluster Member => Cluster.Get(System);

    private ActorSystem? System { get; set; }

    public static ContainerDescription Container(string name, string labels = "", string state = "running")
    {
        var container = new ContainerDescription { Id = (name + "0123456789abcdef").Replace('-', '0'), Name = name, State = state, Runtime = "docker" };
        foreach (var label in labels.Split(',', StringSplitOptions.RemoveEmptyEntries))
            container.Labels.Add(label.Split('=')[0], label.Split('=')[1]);
        return container;
    }

    /// <summary>From now on it says that it keeps this, and has the test play what is read of it.</summary>
    public void Keep(KeptRun run) => _kept[run.RunId] = run;

    /// <summary>Returns when it is up.</summary>
    public async Task JoinAsync(string seed)
    {
        System = ActorSystem.Create(
            ClusterSettings.SystemName,
            // When it dies it says good-bye to nobody.
            new ClusterSettings("127.0.0.1", 0, [ClusterSettings.NodeRole], [seed]) { Identity = _identity }
                .ToSetup("akka.coordinated-shutdown.run-by-actor-system-terminate = off"));
        Populate(System);
        var up = new TaskCompletionSource();
        Cluster.Get(System).RegisterOnMemberUp(() => up.SetResult());
        await up.Task.WaitAsync(Patience);
    }

    public void Populate(ActorSystem system) => system.ActorOf(Props.Create(() => new NodeActor(this)), "node");

    /// <summary>The next session that a coordinator wants.</summary>
    public async Task<PlayedSession> SessionAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        return await _started.Reader.ReadAsync(patience.Token);
    }

    /// <summary>The next session, attached and begun.</summary>
    public async Task<PlayedStream> ToolAsync()
    {
        var stream = (await SessionAsync()).Dial();
        await stream.BeginAsync();
        return stream;
    }

    /// <summary>Gone without a word.</summary>
    public async Task DieAsync()
    {
        foreach (var coordinator in _coordinators.Values)
            coordinator.Dispose();
        if (System is { } system)
            await system.Terminate();
    }

    public async ValueTask DisposeAsync() => await DieAsync();

    // As the real one: all sessions of a coordinator by one connection.
    private GrpcChannel Coordinator(string endpoint) => _coordinators.GetOrAdd(endpoint, _ =>
        endpoint.StartsWith("unix:", StringComparison.Ordinal) ? TestCoordinator.Dial(endpoint["unix:".Length..])
        : _identity is { } identity ? TestAuthority.Dial(endpoint, identity.Certificate, (peer, _) => identity.Refusal(peer) is null)
        : GrpcChannel.ForAddress(endpoint));

    private sealed class NodeActor : ReceiveActor
    {
        public NodeActor(PlayedNode node)
        {
            Receive<DescribeNode>(describe => Sender.Tell(
                new NodeDescribed { CorrelationId = describe.CorrelationId, Node = node.Name, Version = "1.2.3", Containers = node._containers.Length }));
            Receive<FindContainers>(find =>
            {
                Interlocked.Increment(ref node._questions);
                if (!node.IsSilent)
                    Sender.Tell(node.Find(find));
            });
            // Whether it is right is the real node's to say.
            Receive<Granted>(granted =>
            {
                node.LastGranted = granted;
                Self.Forward(Grant.Parser.ParseFrom(granted.Grant).Request);
            });
            Receive<StartSession>(start =>
            {
                // Nobody is dialled for one that is kept.
                var session = new PlayedSession(start, start.Keep is null ? node.Coordinator(start.StreamEndpoint) : null, Sender, Self);
                node._sessions[start.SessionId] = session;
                Sender.Tell(new SessionAccepted { SessionId = start.SessionId });
                node._started.Writer.TryWrite(session);
            });
            Receive<EndSession>(end => node._sessions[end.SessionId].End());
            Receive<SignalSession>(signal => node._sessions[signal.SessionId].Signal(signal.Signal));
            Receive<MountImage>(mount =>
            {
                if (mount.Image is { } image)
                    Sender.Tell(new MountWaits { CorrelationId = mount.CorrelationId, Image = image.Name, Received = 1, Size = image.Size });
                Sender.Tell(node.Mount(mount));
            });
            Receive<UnmountImage>(unmount => Sender.Tell(
                new ImageUnmounted { CorrelationId = unmount.CorrelationId, WasMounted = node._mounts.TryRemove(unmount.ContainerId, out _) }));
            Receive<FindKeptRuns>(find => Sender.Tell(new KeptRunsFound
            {
                CorrelationId = find.CorrelationId,
                Node = node.Name,
                Runs = { node._kept.Values.Where(run => find.RunId.Length == 0 || run.RunId == find.RunId) },
            }));
            Receive<RemoveRun>(remove =>
            {
                node._kept.TryRemove(remove.RunId, out _);
                Sender.Tell(new RunRemoved { CorrelationId = remove.CorrelationId, Node = node.Name });
            });
            Receive<ReplaySession>(replay => node._started.Writer.TryWrite(new PlayedSession(
                new StartSession { SessionId = replay.SessionId, Ticket = replay.Ticket }, node.Coordinator(replay.StreamEndpoint), Sender, Self)));
            Receive<FindLeases>(find => Sender.Tell(node.Held(find)));
        }
    }

    private ImageMounted Mount(MountImage mount)
    {
        if (_containers.Single(c => c.Id == mount.ContainerId).State == "paused")
            return new ImageMounted { CorrelationId = mount.CorrelationId, Problem = "It is paused." };
        _mounts[mount.ContainerId] = new HeldMount
        {
            ContainerId = mount.ContainerId,
            LeaseId = $"lease-{mount.ContainerId}",
            Holders = { mount.Holder },
            ImageDigest = mount.Image?.Digest ?? "",
        };
        return new ImageMounted { CorrelationId = mount.CorrelationId, LeaseId = $"lease-{mount.ContainerId}" };
    }

    private LeasesFound Held(FindLeases find) => new()
    {
        CorrelationId = find.CorrelationId,
        Node = Name,
        Mounts = { _mounts.Values },
        Sessions = { _sessions.Values.Select(s => new HeldSession { SessionId = s.Start.SessionId, RunId = s.Start.RunId, ContainerId = s.Start.ContainerId }) },
    };

    private ContainersFound Find(FindContainers find)
    {
        Assert.True(Selector.TryParse(find.Selector, out var selector, out _));
        return new ContainersFound
        {
            CorrelationId = find.CorrelationId,
            Node = Name,
            LacksImage = LacksImage,
            Containers = { _containers.Where(c => selector.Matches(c.Labels) && (c.Name == find.Container || c.Id.StartsWith(find.Container, StringComparison.Ordinal))) },
        };
    }
}
