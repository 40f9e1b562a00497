using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Node.Containers;

/// <summary>
/// Owns the connection to one container runtime. After any gap it starts again from a full list; and now and then it reads the
/// ids again, for an event stream may go silent without an end.
/// Connecting → Watching → Waiting → Connecting
/// </summary>
internal sealed class RuntimeActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Stable = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ListEvery = TimeSpan.FromSeconds(10);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Backoff _backoff = new(TimeSpan.FromMilliseconds(200), TimeSpan.FromSeconds(10));
    private readonly HashSet<ContainerId> _inspecting = [];
    private readonly HashSet<ContainerId> _changedMeanwhile = [];
    private readonly IContainerRuntime _runtime;
    private Lifetime _connection = Lifetime.Begin();
    private string _lastProblem = "";

    // Completions of an earlier connection are recognised by its number.
    private int _epoch;

    public RuntimeActor(IContainerRuntime runtime)
    {
        _runtime = runtime;
        Connecting();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>Asks for an inspection of a container that the list and the events do not agree about.</summary>
    public sealed record Look(ContainerId Id) : ILocalMessage;

    private sealed record List : ILocalMessage;

    private sealed record Listed(int Epoch, IReadOnlyList<ContainerId> Ids) : ILocalMessage;

    private sealed record Snapshot(int Epoch, RuntimeSnapshot Contents) : ILocalMessage;

    private sealed record Changed(int Epoch, ContainerId Id) : ILocalMessage;

    private sealed record Inspected(int Epoch, ContainerId Id, Container? Container) : ILocalMessage;

    private sealed record Broken(int Epoch, string Problem) : ILocalMessage;

    private sealed record Retry : ILocalMessage;

    private sealed record ProvedStable : ILocalMessage;

    public static Props Props(IContainerRuntime runtime) => Akka.Actor.Props.Create(() => new RuntimeActor(runtime));

    protected override void PreStart() => Connect();

    protected override void PostStop() => _connection.End();

    private void Connecting()
    {
        Receive<Snapshot>(s => s.Epoch == _epoch, s => Watch(s.Contents));
        ReceiveBroken();
    }

    private void Watching()
    {
        Receive<Changed>(c => c.Epoch == _epoch, c => Inspect(c.Id));
        Receive<Inspected>(i => i.Epoch == _epoch, OnInspected);
        Receive<List>(_ => ReadList());
        Receive<Listed>(l => l.Epoch == _epoch, OnListed);
        Receive<Look>(look => Inspect(look.Id));
        Receive<ProvedStable>(_ => _backoff.Reset());
        ReceiveBroken();
    }

    private void Waiting()
    {
        Receive<Retry>(_ =>
        {
            Connect();
            Become(Connecting);
        });
        ReceiveLate();
    }

    private void Connect()
    {
        var epoch = _epoch;
        _runtime.SnapshotAsync(_connection.Token).PipeTo(
            Self, success: s => new Snapshot(epoch, s), failure: e => new Broken(epoch, e.Message));
    }

    private void Watch(RuntimeSnapshot snapshot)
    {
        var (epoch, self) = (_epoch, Self);
        _lastProblem = "";
        _log.Info("{0} {1}: {2} containers", _runtime.Name, snapshot.Version, snapshot.Containers.Count);
        Context.Parent.Tell(new RuntimeEvent.Synchronized(_runtime.Name, snapshot.Version, snapshot.Containers));

        _runtime.WatchAsync(snapshot.Mark, id => self.Tell(new Changed(epoch, id), self), _connection.Token).PipeTo(
            Self,
            success: () => new Broken(epoch, $"{_runtime.Name} closed its event stream."),
            failure: e => new Broken(epoch, e.Message));
        Timers.StartSingleTimer(nameof(ProvedStable), new ProvedStable(), Stable);
        Timers.StartSingleTimer(nameof(List), new List(), ListEvery);
        Become(Watching);
    }

    private void ReadList()
    {
        var epoch = _epoch;
        _runtime.ListAsync(_connection.Token).PipeTo(
            Self, success: ids => new Listed(epoch, ids), failure: e => new Broken(epoch, e.Message));
    }

    private void OnListed(Listed listed)
    {
        Context.Parent.Tell(new RuntimeEvent.Listed(_runtime.Name, listed.Ids));
        Timers.StartSingleTimer(nameof(List), new List(), ListEvery);
    }

    private void Inspect(ContainerId id)
    {
        Context.Parent.Tell(new RuntimeEvent.Touched(_runtime.Name, id));
        if (!_inspecting.Add(id))
        {
            _changedMeanwhile.Add(id);
            return;
        }

        var epoch = _epoch;
        _runtime.InspectAsync(id, _connection.Token).PipeTo(
            Self, success: c => new Inspected(epoch, id, c), failure: e => new Broken(epoch, e.Message));
    }

    private void OnInspected(Inspected inspected)
    {
        _inspecting.Remove(inspected.Id);
        if (_changedMeanwhile.Remove(inspected.Id))
            Inspect(inspected.Id);
        else if (inspected.Container is { } container)
            Context.Parent.Tell(new RuntimeEvent.Observed(container));
        else
            Context.Parent.Tell(new RuntimeEvent.Vanished(inspected.Id));
    }

    private void ReceiveBroken()
    {
        Receive<Broken>(b => b.Epoch == _epoch, b => OnBroken(b.Problem));
        ReceiveLate();
    }

    private void OnBroken(string problem)
    {
        // A daemon that stays away is told about once, not at every try.
        if (problem != _lastProblem)
            _log.Warning("{0} is not available: {1}", _runtime.Name, problem);
        _lastProblem = problem;
        Context.Parent.Tell(new RuntimeEvent.Lost(_runtime.Name, problem));

        _epoch++;
        _connection.End();
        _connection = Lifetime.Begin();
        _inspecting.Clear();
        _changedMeanwhile.Clear();
        Timers.CancelAll();
        Timers.StartSingleTimer(nameof(Retry), new Retry(), _backoff.Next());
        Become(Waiting);
    }

    private void ReceiveLate()
    {
        Receive<Snapshot>(_ => { });
        Receive<Changed>(_ => { });
        Receive<Inspected>(_ => { });
        Receive<Listed>(_ => { });
        Receive<Look>(_ => { });
        Receive<Broken>(_ => { });
    }
}
