using System.IO.Enumeration;
using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Containers;

/// <summary>
/// Owns what is known about the containers of this node: the runtimes' lists and events, and the exits of their processes.
/// Answers selectors as of the last event that a runtime has sent.
/// </summary>
internal sealed class ContainersActor : ReceiveActor, IWithTimers
{
    // A runtime that hangs must not keep the answer about the others.
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    // Of some thousand containers. The index must fit into a message.
    private const int MostFingerprints = 16 * 1024;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ContainerTable _table = new();
    private readonly Unsettled _unsettled = new();
    private readonly Dictionary<string, RuntimeStatus> _runtimes = [];
    private readonly Dictionary<ContainerId, IActorRef> _processes = [];
    private readonly List<Action> _waiting = [];
    private readonly IActorRef _index;
    private readonly string _node;
    private readonly NodePorts _ports;
    private bool _lacksImage;

    public ContainersActor(string node, NodePorts ports)
    {
        _node = node;
        _ports = ports;

        _index = Context.ActorOf(IndexActor.Props(), "index");
        Receive<FindContainers>(OnFind);
        Receive<IndexContainers>(_index.Forward);
        Receive<Locate>(OnLocate);
        Receive<RuntimeEvent.Synchronized>(OnSynchronized);
        Receive<RuntimeEvent.Listed>(OnListed);
        Receive<RuntimeEvent.Touched>(OnTouched);
        Receive<RuntimeEvent.Observed>(OnObserved);
        Receive<RuntimeEvent.Vanished>(OnVanished);
        Receive<RuntimeEvent.Lost>(OnLost);
        Receive<ProcessActor.Exited>(OnExited);
        Receive<WaitedEnough>(_ => AnswerWaiting());
        Receive<OwnImageActor.Known>(image => _lacksImage = image.Path is null);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Asks for one container; the answer is <see cref="Located"/> or <see cref="Missing"/>.</summary>
    public sealed record Locate(ContainerId Id) : ILocalMessage;

    public sealed record Located(Container Container) : ILocalMessage;

    public sealed record Missing(ContainerId Id) : ILocalMessage;

    /// <summary>To the parent: the container's process has ended.</summary>
    public sealed record Ended(ContainerId Container, int Pid) : ILocalMessage;

    /// <summary>To the parent, at every change.</summary>
    public sealed record Counted(int Containers, IReadOnlyList<RuntimeStatus> Runtimes) : ILocalMessage;

    private sealed record WaitedEnough : ILocalMessage;

    public static Props Props(string node, NodePorts ports) => Akka.Actor.Props.Create(() => new ContainersActor(node, ports));

    protected override SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.StoppingStrategy;

    protected override void PreStart()
    {
        foreach (var runtime in _ports.Runtimes)
        {
            _unsettled.Expect(runtime.Name);
            _runtimes[runtime.Name] = new RuntimeStatus { Name = runtime.Name, Problem = $"{runtime.Name} has not answered yet." };
            Context.ActorOf(RuntimeActor.Props(runtime), runtime.Name);
        }

        TellChange();
    }

    private void OnFind(FindContainers find)
    {
        var asker = Sender;
        if (Selector.TryParse(find.Selector, out var selector, out var problem))
            WhenSettled(() => asker.Tell(Answer(find, selector)));
        else
            asker.Tell(new ContainersFound { CorrelationId = find.CorrelationId, Node = _node, Problem = problem });
    }

    private ContainersFound Answer(FindContainers find, Selector selector) => new()
    {
        CorrelationId = find.CorrelationId,
        Node = _node,
        Containers = { _table.Find(selector, find.Container).Where(c => IsAskedFor(c, find)).Select(c => c.Describe()) },
        Problem = string.Join(" ", _runtimes.Values.Select(r => r.Problem).Where(p => p.Length > 0)),
        LacksImage = _lacksImage,
    };

    private static bool IsAskedFor(Container container, FindContainers find) =>
        IsNamed(find.Name, container.Name) && IsNamed(find.Image, container.Image) && (find.Runtime.Length == 0 || find.Runtime == container.Runtime);

    private static bool IsNamed(string glob, string name) =>
        glob.Length == 0 || FileSystemName.MatchesSimpleExpression(glob, name, ignoreCase: false);

    private void OnLocate(Locate locate)
    {
        var asker = Sender;
        WhenSettled(() => asker.Tell(_table.Get(locate.Id) is { } container ? new Located(container) : new Missing(locate.Id)));
    }

    private void OnSynchronized(RuntimeEvent.Synchronized synchronized)
    {
        foreach (var id in _table.Of(synchronized.Runtime).Except(synchronized.Containers.Select(c => c.Id)))
            Remove(id);
        foreach (var container in synchronized.Containers)
            Put(container);
        _runtimes[synchronized.Runtime] = new RuntimeStatus { Name = synchronized.Runtime, Version = synchronized.Version };
        _unsettled.Settle(synchronized.Runtime);
        TellChange();
    }

    private void OnListed(RuntimeEvent.Listed listed)
    {
        var known = _table.Of(listed.Runtime);
        foreach (var id in known.Except(listed.Ids).Concat(listed.Ids.Except(known)))
        {
            _log.Info("{0}: container {1} is looked at again, for its events and the list of what runs do not agree", listed.Runtime, id);
            Sender.Tell(new RuntimeActor.Look(id));
        }
    }

    private void OnTouched(RuntimeEvent.Touched touched)
    {
        _unsettled.Touch(touched.Runtime, touched.Id);
        TellIndex();
    }

    private void OnObserved(RuntimeEvent.Observed observed)
    {
        Put(observed.Container);
        _unsettled.Settle(observed.Container.Id);
        TellChange();
    }

    private void OnVanished(RuntimeEvent.Vanished vanished)
    {
        Remove(vanished.Id);
        _unsettled.Settle(vanished.Id);
        TellChange();
    }

    private void OnLost(RuntimeEvent.Lost lost)
    {
        // Its containers may well go on without it, and their exits are told by the kernel: they stay listed.
        _runtimes[lost.Runtime].Problem = lost.Problem;
        _unsettled.Settle(lost.Runtime);
        TellChange();
    }

    private void OnExited(ProcessActor.Exited exited)
    {
        if (!_table.Remove(exited.Container, exited.Pid))
            return;
        _processes.Remove(exited.Container);
        TellEnd(exited.Container, exited.Pid);
        TellChange();
    }

    private void Put(Container container)
    {
        var known = _table.Get(container.Id);
        if (!_table.Put(container))
            return;
        if (known is not null)
            TellEnd(known.Id, known.Pid);
        StopWatching(container.Id);
        _processes[container.Id] = Context.ActorOf(ProcessActor.Props(_ports.Targets, container.Id, container.Pid));
    }

    private void Remove(ContainerId id)
    {
        if (_table.Remove(id) is not { } known)
            return;
        TellEnd(known.Id, known.Pid);
        StopWatching(id);
    }

    private static void TellEnd(ContainerId id, int pid) => Context.Parent.Tell(new Ended(id, pid));

    private void StopWatching(ContainerId id)
    {
        if (_processes.Remove(id, out var process))
            Context.Stop(process);
    }

    private void TellChange()
    {
        Context.Parent.Tell(new Counted(_table.Count, [.. _runtimes.Values.Select(r => r.Clone())]));
        TellIndex();
        if (!_unsettled.Any)
            AnswerWaiting();
    }

    /// <summary>Of what is not known, or not up to date, nobody may conclude that there is no such container.</summary>
    private void TellIndex()
    {
        var isKnown = !_unsettled.Any && _runtimes.Values.All(r => r.Problem.Length == 0);
        _index.Tell(new IndexActor.Now(
            isKnown && _table.Fingerprints is { Count: <= MostFingerprints } all ? new ContainerIndex { Fingerprints = { all } } : null));
    }

    private void WhenSettled(Action answer)
    {
        if (!_unsettled.Any)
        {
            answer();
            return;
        }

        _waiting.Add(answer);
        if (!Timers.IsTimerActive(nameof(WaitedEnough)))
            Timers.StartSingleTimer(nameof(WaitedEnough), new WaitedEnough(), LongestWait);
    }

    private void AnswerWaiting()
    {
        Timers.Cancel(nameof(WaitedEnough));
        foreach (var answer in _waiting)
            answer();
        _waiting.Clear();
    }
}
