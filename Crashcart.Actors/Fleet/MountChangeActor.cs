using Akka.Actor;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one request to mount the image in containers, or to take the mounts away: finds the containers, asks their nodes, and
/// answers when all have answered or the time is over. Resolving → Changing → stopped
/// </summary>
internal sealed class MountChangeActor : ReceiveActor, IWithTimers
{
    /// <summary>More than a node's own patience.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly LeaseQuery.Change _request;
    private readonly IActorRef _asker;
    private readonly Dictionary<int, ChangedMount> _changed = [];
    private IReadOnlyList<RunTarget> _targets = [];
    private IReadOnlyList<SilentNode> _silent = [];

    public MountChangeActor(LeaseQuery.Change request, IActorRef fleet, IActorRef asker)
    {
        _request = request;
        _asker = asker;
        fleet.Tell(request.Targets switch
        {
            RunTargets.Selected selected => new FleetQuery.ListContainers(selected.Selector, selected.Node),
            RunTargets.One one => new FleetQuery.ListContainers("", one.Node ?? "", one.Container),
            _ => throw new ArgumentOutOfRangeException(nameof(request)),
        });
        Become(Resolving);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(LeaseQuery.Change request, IActorRef fleet, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new MountChangeActor(request, fleet, asker));

    private void Resolving() => Receive<FleetQuery.Containers>(found =>
    {
        IReadOnlyList<RunTarget> targets = found.All;
        if (_request.Targets is RunTargets.One one && !SingleTarget.TryChoose(one, found, out targets, out RunEvent.Rejected? rejection))
        {
            _asker.Tell(new LeaseQuery.Rejected(rejection.NotFound, rejection.Message));
            Context.Stop(Self);
            return;
        }
        (_targets, _silent) = (targets, _request.Targets is RunTargets.One ? [] : found.Silent);
        for (int target = 0; target < targets.Count; target++)
            Context.ActorSelection(GatherActor.NodePath(targets[target].Address)).Tell(Question(target));
        Timers.StartSingleTimer(nameof(TimeIsOver), new TimeIsOver(), Patience);
        Become(Changing);
        FinishWhenAllAnswered();
    });

    private void Changing()
    {
        Receive<ImageMounted>(mounted => OnAnswer(mounted.CorrelationId, target => new ChangedMount(target, mounted.Problem, mounted.LeaseId, WasMounted: true)));
        Receive<ImageUnmounted>(unmounted => OnAnswer(unmounted.CorrelationId, target => new ChangedMount(target, unmounted.Problem, "", unmounted.WasMounted)));
        Receive<TimeIsOver>(_ => Finish());
    }

    private object Question(int target)
    {
        string container = _targets[target].Container.Id;
        return _request.Mount
            ? new MountImage { CorrelationId = $"{target}", ContainerId = container, Holder = _request.Holder }
            : new UnmountImage { CorrelationId = $"{target}", ContainerId = container, Force = _request.Force };
    }

    private void OnAnswer(string correlationId, Func<RunTarget, ChangedMount> answer)
    {
        // Only the node that has the container may speak of it.
        if (!int.TryParse(correlationId, out int target) || target < 0 || target >= _targets.Count || !IsFrom(_targets[target].Address))
            return;
        _changed[target] = answer(_targets[target]);
        FinishWhenAllAnswered();
    }

    private bool IsFrom(Address node) => node.Equals(
        Sender.Path.Address.HasGlobalScope ? Sender.Path.Address : Akka.Cluster.Cluster.Get(Context.System).SelfAddress);

    private void FinishWhenAllAnswered()
    {
        if (_changed.Count == _targets.Count)
            Finish();
    }

    private void Finish()
    {
        _asker.Tell(new LeaseQuery.Changed(
            [.. _targets.Select((target, i) => _changed.GetValueOrDefault(i) ?? new ChangedMount(target, Silence(target), "", WasMounted: false))],
            _silent));
        Context.Stop(Self);
    }

    private static string Silence(RunTarget target) =>
        $"Node {target.Node} did not answer within {Patience.TotalSeconds:0} s; 'crashcart mounts' shows what became of it.";

    private sealed record TimeIsOver : INoSerializationVerificationNeeded;
}
