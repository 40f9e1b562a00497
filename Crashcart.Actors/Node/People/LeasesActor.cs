using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Sessions;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.People;

/// <summary>
/// Owns the leases that people hold on shared mounts, and keeps them where they outlive the node. The mounts themselves are
/// the kernel's to hold, so nothing is taken away when this stops. Reading → Ready
/// </summary>
internal sealed class LeasesActor : ReceiveActor, IWithStash
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly LeaseTable _table = new();
    private readonly Dictionary<(ContainerId, int), IActorRef> _processes = [];
    private readonly NodePorts _ports;
    private readonly SessionNeighbours _node;
    private readonly List<Answer> _unwritten = [];
    private bool _isWriting;
    private bool _isChanged;

    public LeasesActor(NodePorts ports, SessionNeighbours node)
    {
        _ports = ports;
        _node = node;
        Reading();
    }

    public IStash Stash { get; set; } = null!;

    /// <summary>To the parent, at every change.</summary>
    public sealed record Counted(int Leases) : ILocalMessage;

    /// <summary>A mount is there that somebody asked for; the answer goes to the asker.</summary>
    public sealed record Attached(MountImage Request, IActorRef Asker, FoundMount Mount, string Container) : ILocalMessage;

    /// <summary>There is no mount at that place of the container's process any more.</summary>
    public sealed record Detached(ContainerId Container, int Pid, MountPath At) : ILocalMessage;

    /// <summary>The ids of all leases, to come back in <see cref="Settle"/>; answered by <see cref="Known"/>.</summary>
    public sealed record Mention : ILocalMessage;

    public sealed record Known(IReadOnlySet<LeaseId> Leases) : ILocalMessage;

    /// <summary>What the kernel has; answered by <see cref="Settled"/>.</summary>
    public sealed record Settle(IReadOnlyList<FoundMount> Found, IReadOnlySet<LeaseId> Known) : ILocalMessage;

    /// <param name="Digests">Of images, by their files' keys.</param>
    public sealed record Settled(Settlement Settlement, IReadOnlyList<MountLease> Leases, IReadOnlyDictionary<string, string> Digests) : ILocalMessage;

    private sealed record Read(IReadOnlyList<MountLease> Leases) : ILocalMessage;

    private sealed record Written(IReadOnlyList<Answer> Answers, Exception? Problem) : ILocalMessage;

    private sealed record Answer(IActorRef Asker, ImageMounted Message) : ILocalMessage;

    public static Props Props(NodePorts ports, SessionNeighbours node) => Akka.Actor.Props.Create(() => new LeasesActor(ports, node));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    protected override void PreStart() => _ports.Leases.ReadAsync(_lifetime.Token).PipeTo(
        Self,
        success: leases => new Read(leases),
        failure: e =>
        {
            _log.Error("Could not read the leases of this node, and begins without: {0}", e.Message);
            return new Read([]);
        });

    protected override void PostStop() => _lifetime.End();

    private void Reading()
    {
        Receive<Read>(read =>
        {
            foreach (var lease in read.Leases)
            {
                _table.Restore(lease);
                WatchProcess(lease);
            }

            Tell();
            Become(Ready);
            Stash.UnstashAll();
        });
        ReceiveAny(_ => Stash.Stash());
    }

    private void Ready()
    {
        Receive<MountImage>(mount => Context.ActorOf(AttachActor.Props(_ports, _node, mount, Sender)));
        Receive<UnmountImage>(unmount => Context.ActorOf(DetachActor.Props(_ports, _node, unmount, Sender)));
        Receive<Attached>(OnAttached);
        Receive<Detached>(detached => End(_table.End(detached.Container, detached.Pid, detached.At), "was given back"));
        Receive<ProcessActor.Exited>(exited => End(_table.End(exited.Container, exited.Pid), "ended with its container"));
        Receive<Mention>(_ => Sender.Tell(new Known(_table.All.Select(lease => lease.Id).ToHashSet())));
        Receive<Settle>(OnSettle);
        Receive<ContainersActor.Located>(located => OnNamed(located.Container));
        Receive<ContainersActor.Missing>(_ => { });
        Receive<ImagesActor.Identified>(image =>
        {
            if (_table.Identify(image.Key, image.Digest))
                OnChanged();
        });
        Receive<Written>(OnWritten);
    }

    private void OnAttached(Attached attached)
    {
        var lease = _table.Hold(attached.Mount, attached.Container, attached.Request.Holder, DateTimeOffset.UtcNow);
        _log.Info("{0}: {1} holds {2} in container {3} ({4})", lease.Id, lease.Holder, lease.Mount.At, lease.Mount.Container, lease.Mount.LoopDevice);
        WatchProcess(lease);
        // Told when it is written. When that failed, the mount is held all the same, and found after a restart without its holder's name.
        _unwritten.Add(new Answer(
            attached.Asker, new ImageMounted { CorrelationId = attached.Request.CorrelationId, LeaseId = lease.Id.Value }));
        OnChanged();
    }

    private void End(IReadOnlyList<MountLease> ended, string how)
    {
        foreach (var lease in ended)
        {
            _log.Info("{0} on {1} in container {2} {3}", lease.Id, lease.Mount.At, lease.Mount.Container, how);
            StopWatching(lease);
        }

        if (ended.Count > 0)
            OnChanged();
    }

    private void OnSettle(Settle settle)
    {
        var settlement = _table.Settle(settle.Found, settle.Known, DateTimeOffset.UtcNow);
        foreach (var lease in settlement.TakenUp)
            _log.Info("{0}: took up {1} in container {2} ({3}), which {4} holds", lease.Id, lease.Mount.At, lease.Mount.Container, lease.Mount.LoopDevice, lease.Holder);

        foreach (var lease in settlement.Ended)
        {
            _log.Info("{0} on {1} in container {2} ended without a word: the mount is gone", lease.Id, lease.Mount.At, lease.Mount.Container);
            StopWatching(lease);
        }

        foreach (var lease in settlement.Adopted)
        {
            _log.Info("{0}: adopted {1} in container {2} ({3}), which was made on the host", lease.Id, lease.Mount.At, lease.Mount.Container, lease.Mount.LoopDevice);
            WatchProcess(lease);
            _node.Containers.Tell(new ContainersActor.Locate(lease.Mount.Container));
        }

        if (settlement.ChangesSomething)
            OnChanged();
        Sender.Tell(new Settled(settlement, _table.All, _table.Digests));
    }

    private void OnNamed(Container container)
    {
        _table.Name(container.Id, container.Name);
        OnChanged();
    }

    private void WatchProcess(MountLease lease)
    {
        var key = (lease.Mount.Container, lease.Mount.Pid);
        if (!_processes.ContainsKey(key))
            _processes.Add(key, Context.ActorOf(ProcessActor.Props(_ports.Targets, lease.Mount.Container, lease.Mount.Pid)));
    }

    // The lease has ended; others in the same process may not have.
    private void StopWatching(MountLease ended)
    {
        var (container, pid) = (ended.Mount.Container, ended.Mount.Pid);
        if (!_table.All.Any(lease => lease.IsIn(container, pid)) && _processes.Remove((container, pid), out var process))
            Context.Stop(process);
    }

    private void Tell()
    {
        Context.Parent.Tell(new Counted(_table.All.Count));
        _node.Images.Tell(new ImagesActor.LeasedByPeople([.. _table.All.Select(lease => (lease.ImageDigest, lease.Id))]));
    }

    private void OnChanged()
    {
        Tell();
        _isChanged = true;
        Write();
    }

    // One at a time: the last to be written must be the last that was true.
    private void Write()
    {
        if (_isWriting || !_isChanged)
            return;
        (_isWriting, _isChanged) = (true, false);
        List<Answer> answers = [.. _unwritten];
        _unwritten.Clear();
        _ports.Leases.WriteAsync(_table.All, CancellationToken.None)
            .PipeTo(Self, success: () => new Written(answers, null), failure: e => new Written(answers, e));
    }

    private void OnWritten(Written written)
    {
        if (written.Problem is { } problem)
            _log.Error("Could not keep the leases of this node; after a restart it finds their mounts, but not who holds them: {0}", problem.Message);
        foreach (var answer in written.Answers)
            answer.Asker.Tell(answer.Message);
        _isWriting = false;
        Write();
    }
}
