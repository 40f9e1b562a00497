using Akka.Actor;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>
/// Owns one request to mount the image in containers, or to take the mounts away: finds the containers, asks their nodes, and
/// answers when all have answered or the time is over. When it stops, nodes that have not mounted yet do not mount any more.
/// Resolving → Changing → stopped
/// </summary>
internal sealed class MountChangeActor : ReceiveActor, IWithTimers
{
    /// <summary>More than a node's own patience.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly LeaseQuery.Change _request;
    private readonly IActorRef _asker;
    private readonly CancellationTokenRegistration _left;
    private readonly Dictionary<int, ChangedMount> _changed = [];
    private IReadOnlyList<RunTarget> _targets = [];
    private IReadOnlyList<SilentNode> _silent = [];
    private bool _isAnswered;

    public MountChangeActor(LeaseQuery.Change request, IActorRef fleet, IActorRef asker)
    {
        _request = request;
        _asker = asker;
        fleet.Tell(FleetQuery.ListContainers.For(request.Targets, request.Access));
        if (request is LeaseQuery.Mount { Port: var port })
        {
            IActorRef self = Self;
            _left = port.Left.Register(() => self.Tell(new ClientLeft()));
        }
        Become(Resolving);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(LeaseQuery.Change request, IActorRef fleet, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new MountChangeActor(request, fleet, asker));

    protected override void PostStop()
    {
        _left.Dispose();
        if (!_isAnswered)
            _asker.Tell(new LeaseQuery.Rejected(NotFound: false, "The coordinator ended the request; 'crashcart mounts' shows what became of it."));
    }

    private void Resolving()
    {
        Receive<FleetQuery.Containers>(OnFound);
        Receive<ImageFound>(found => OnResolved(found.Containers, found.Image));
        Receive<ClientLeft>(_ => Context.Stop(Self));
    }

    private void Changing()
    {
        Receive<ImageMounted>(mounted => OnAnswer(mounted.CorrelationId, target => new ChangedMount(target, mounted.Problem, mounted.LeaseId, WasMounted: true)));
        Receive<ImageUnmounted>(unmounted => OnAnswer(unmounted.CorrelationId, target => new ChangedMount(target, unmounted.Problem, "", unmounted.WasMounted)));
        Receive<MountWaits>(OnWaits);
        Receive<TimeIsOver>(_ => Finish());
        Receive<ClientLeft>(_ => Context.Stop(Self));
    }

    private void OnFound(FleetQuery.Containers found)
    {
        if (_request is LeaseQuery.Mount { Image: null } mount && found.All.Any(target => target.LacksImage))
            mount.Port.DefaultImageAsync().PipeTo(
                Self, success: image => new ImageFound(image, found), failure: _ => new ImageFound(null, found));
        else
            OnResolved(found, (_request as LeaseQuery.Mount)?.Image);
    }

    private void OnResolved(FleetQuery.Containers found, WantedImage? image)
    {
        IReadOnlyList<RunTarget> targets = found.All;
        if (_request.Targets is RunTargets.One one && !SingleTarget.TryChoose(one, found, out targets, out RunEvent.Rejected? rejection))
        {
            Answer(new LeaseQuery.Rejected(rejection.NotFound, rejection.Message));
            return;
        }
        (_targets, _silent) = (targets, _request.Targets is RunTargets.One ? [] : found.Silent);
        for (int target = 0; target < targets.Count; target++)
            Context.ActorSelection(GatherActor.NodePath(targets[target].Address)).Tell(_request.Access.Grant(targets[target], Question(target, image)));
        Wait();
        Become(Changing);
        FinishWhenAllAnswered();
    }

    private IWireMessage Question(int target, WantedImage? image)
    {
        string container = _targets[target].Container.Id;
        var chosen = new ContainerLabels { Labels = { _targets[target].Container.Labels } };
        var origin = new Origin(_request.Origin) { Container = _targets[target].Container.Name };
        return _request switch
        {
            LeaseQuery.Mount => new MountImage
            {
                CorrelationId = $"{target}",
                ContainerId = container,
                Holder = _request.Holder,
                Image = ImageSources.For(_targets[target].Node, image),
                Path = _request.Path,
                Chosen = chosen,
                Origin = origin,
            },
            LeaseQuery.Unmount unmount => new UnmountImage
            {
                CorrelationId = $"{target}",
                ContainerId = container,
                Force = unmount.Force,
                Path = _request.Path,
                Chosen = chosen,
                Origin = origin,
            },
            _ => throw new InvalidOperationException($"{_request.GetType().Name} changes no mount."),
        };
    }

    private void OnAnswer(string correlationId, Func<RunTarget, ChangedMount> answer)
    {
        if (!IsFromItsNode(correlationId, out int target))
            return;
        _changed[target] = answer(_targets[target]);
        FinishWhenAllAnswered();
    }

    /// <summary>The time that an image takes to come does not count.</summary>
    private void OnWaits(MountWaits waits)
    {
        if (_request is not LeaseQuery.Mount mount || !IsFromItsNode(waits.CorrelationId, out int target) || _changed.ContainsKey(target))
            return;
        Wait();
        mount.Port.Tell(_targets[target].Node, waits);
    }

    /// <summary>Only the node that has the container may speak of it.</summary>
    private bool IsFromItsNode(string correlationId, out int target) =>
        int.TryParse(correlationId, out target) && target >= 0 && target < _targets.Count && Context.MemberOfSender().Equals(_targets[target].Address);

    private void Wait() => Timers.StartSingleTimer(nameof(TimeIsOver), new TimeIsOver(), Patience);

    private void FinishWhenAllAnswered()
    {
        if (_changed.Count == _targets.Count)
            Finish();
    }

    private void Finish() => Answer(new LeaseQuery.Changed(
        [.. _targets.Select((target, i) => _changed.GetValueOrDefault(i) ?? new ChangedMount(target, Silence(target), "", WasMounted: false))],
        _silent));

    private void Answer(object answer)
    {
        _isAnswered = true;
        _asker.Tell(answer);
        Context.Stop(Self);
    }

    private static string Silence(RunTarget target) =>
        $"Node {target.Node} did not answer within {Patience.TotalSeconds:0} s; 'crashcart mounts' shows what became of it.";

    private sealed record ImageFound(WantedImage? Image, FleetQuery.Containers Containers) : INoSerializationVerificationNeeded;

    private sealed record TimeIsOver : INoSerializationVerificationNeeded;

    private sealed record ClientLeft : INoSerializationVerificationNeeded;
}
