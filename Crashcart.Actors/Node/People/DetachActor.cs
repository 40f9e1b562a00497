using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Sessions;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.People;

/// <summary>
/// Owns what it takes to take away one mount in a container, whoever made it, and tells how that went.
/// Locating → Detaching → stopped
/// </summary>
internal sealed class DetachActor : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ReleaseStack _owned = new();
    private readonly NodePorts _ports;
    private readonly SessionNeighbours _node;
    private readonly UnmountImage _request;
    private readonly IActorRef _asker;
    private readonly MountPath _at;

    public DetachActor(NodePorts ports, SessionNeighbours node, UnmountImage request, IActorRef asker)
    {
        _ports = ports;
        _node = node;
        _request = request;
        _asker = asker;
        _at = new MountPath(request.Path);
        Receive<ContainersActor.Located>(located =>
        {
            if (ChosenLabels.Refusal(request.Chosen, located.Container) is { Length: > 0 } refusal)
                Answer(false, refusal);
            else
                Open(located.Container);
        });
        Receive<ContainersActor.Missing>(missing => Answer(false, $"Container {missing.Id} does not run on this node any more."));
        Receive<Opened>(Detach);
        Receive<Detached>(detached =>
        {
            Context.Parent.Tell(new LeasesActor.Detached(detached.Container.Id, detached.Container.Pid, _at));
            Answer(detached.WasThere, "");
        });
        Receive<Failed>(failed => Answer(false, failed.Reason.Message));
    }

    private sealed record Opened(Container Container, ITarget Target) : ILocalMessage;

    private sealed record Detached(Container Container, bool WasThere) : ILocalMessage;

    private sealed record Failed(SessionFailure Reason) : ILocalMessage;

    public static Props Props(NodePorts ports, SessionNeighbours node, UnmountImage request, IActorRef asker) =>
        Akka.Actor.Props.Create(() => new DetachActor(ports, node, request, asker));

    protected override void PreStart() => _node.Containers.Tell(new ContainersActor.Locate(new ContainerId(_request.ContainerId)));

    protected override void PostStop() => _ = _owned.ReleaseAsync();

    private void Open(Container container) =>
        _owned.Own(cancellation => _ports.Targets.OpenAsync(container.Id, container.Pid, cancellation))
            .PipeTo(Self, success: target => new Opened(container, target), failure: Failure);

    private void Detach(Opened opened) =>
        _ports.PeopleMounts.DetachAsync(_request, opened.Target, CancellationToken.None)
            .PipeTo(Self, success: wasThere => new Detached(opened.Container, wasThere), failure: Failure);

    private void Answer(bool wasThere, string problem)
    {
        if (problem.Length > 0)
            _log.Info("Did not unmount the image in container {0}: {1}", _request.ContainerId, problem);
        _asker.Tell(new ImageUnmounted { CorrelationId = _request.CorrelationId, WasMounted = wasThere, Problem = problem });
        Context.Stop(Self);
    }

    private static Failed Failure(Exception exception) => new(NodeException.Describe(exception));
}
