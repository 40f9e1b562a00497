using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Sessions;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.People;

/// <summary>
/// Owns what it takes to mount the image where a person wants it, and tells the parent or the asker how that went. It holds
/// the image only until the mount does. Locating → Leasing → Attaching → stopped; when nobody waits for it any more before it
/// attaches, nothing is mounted
/// </summary>
internal sealed class AttachActor : ReceiveActor, IWithTimers
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ReleaseStack _owned = new();
    private readonly NodePorts _ports;
    private readonly SessionNeighbours _node;
    private readonly MountImage _request;
    private readonly IActorRef _asker;

    public AttachActor(NodePorts ports, SessionNeighbours node, MountImage request, IActorRef asker)
    {
        _ports = ports;
        _node = node;
        _request = request;
        _asker = asker;
        Locating();
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private sealed record Opened(Container Container, ITarget Target) : ILocalMessage;

    private sealed record Attached(FoundMount Mount) : ILocalMessage;

    private sealed record Failed(SessionFailure Reason) : ILocalMessage;

    private sealed record IsLate : ILocalMessage;

    public static Props Props(NodePorts ports, SessionNeighbours node, MountImage request, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new AttachActor(ports, node, request, asker));

    protected override void PreStart()
    {
        Context.Watch(_asker);
        Wait();
        _node.Containers.Tell(new ContainersActor.Locate(new ContainerId(_request.ContainerId)));
    }

    protected override void PostStop() => _ = _owned.ReleaseAsync();

    private void Locating()
    {
        Receive<ContainersActor.Located>(located =>
        {
            if (ChosenLabels.Refusal(_request.Chosen, located.Container) is { Length: > 0 } refusal)
                Refuse(refusal);
            else
                Open(located.Container);
        });
        Receive<ContainersActor.Missing>(missing => Refuse($"Container {missing.Id} does not run on this node any more."));
        Receive<Opened>(opened =>
        {
            _node.Images.Tell(new ImagesActor.Acquire(_request.Image));
            Become(() => Leasing(opened));
        });
        ReceiveFailures();
    }

    private void Leasing(Opened opened)
    {
        Receive<Lease.Granted>(granted =>
        {
            Lease.TellUse(Sender, opened.Container, opened.Target);
            var lease = new HeldLease(Sender, Self);
            _owned.Own(_ => Task.FromResult(lease));
            _ports.PeopleMounts.AttachAsync(_request, opened.Target, granted.Image, CancellationToken.None)
                .PipeTo(Self, success: mount => new Attached(mount), failure: Failure);
            Become(() => Attaching(opened.Container));
        });
        Receive<Lease.Awaited>(OnAwaited);
        Receive<Lease.Refused>(refused => Refuse(refused.Failure.Message));
        ReceiveFailures();
    }

    // Not given up when it is late: what is mounted must become known.
    private void Attaching(Container container)
    {
        Receive<Attached>(attached =>
        {
            Context.Parent.Tell(new LeasesActor.Attached(_request, _asker, attached.Mount, container.Name));
            Context.Stop(Self);
        });
        Receive<Failed>(failed => Refuse(failed.Reason.Message));
        Receive<IsLate>(_ => { });
        Receive<Terminated>(_ => { });
    }

    private void Open(Container container) =>
        _owned.Own(cancellation => _ports.Targets.OpenAsync(container.Id, container.Pid, cancellation))
            .PipeTo(Self, success: target => new Opened(container, target), failure: Failure);

    // The time that the image takes to come does not count.
    private void OnAwaited(Lease.Awaited awaited)
    {
        Wait();
        _asker.Tell(new MountWaits
        {
            CorrelationId = _request.CorrelationId,
            Image = awaited.Image,
            Received = awaited.Received,
            Size = awaited.Size,
        });
    }

    private void Wait() => Timers.StartSingleTimer(nameof(IsLate), new IsLate(), Patience);

    private void ReceiveFailures()
    {
        Receive<Failed>(failed => Refuse(failed.Reason.Message));
        Receive<Terminated>(_ => Refuse("Nobody waits for it any more."));
        Receive<IsLate>(_ => Refuse($"The image could not be attached within {Patience.TotalSeconds:0} s."));
    }

    private void Refuse(string problem)
    {
        _log.Info("Did not mount the image in container {0} for {1}: {2}", _request.ContainerId, _request.Holder, problem);
        _asker.Tell(new ImageMounted { CorrelationId = _request.CorrelationId, Problem = problem });
        Context.Stop(Self);
    }

    private static Failed Failure(Exception exception) => new(NodeException.Describe(exception));
}
