using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Leases;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Node.Containers;

/// <summary>Owns the pidfd of one container's process, and tells when that has exited. Opening → Watching</summary>
internal sealed class ProcessActor : ReceiveActor
{
    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly ReleaseStack _owned = new();
    private readonly ITargets _targets;
    private readonly ContainerId _container;
    private readonly int _pid;

    public ProcessActor(ITargets targets, ContainerId container, int pid)
    {
        _targets = targets;
        _container = container;
        _pid = pid;
        Opening();
    }

    /// <summary>To the parent.</summary>
    public sealed record Exited(ContainerId Container, int Pid) : ILocalMessage;

    private sealed record Opened(ITarget Target) : ILocalMessage;

    private sealed record OpenFailed(Exception Reason) : ILocalMessage;

    private sealed record Gone : ILocalMessage;

    public static Props Props(ITargets targets, ContainerId container, int pid) =>
        Akka.Actor.Props.Create(() => new ProcessActor(targets, container, pid));

    protected override void PreStart() =>
        _owned.Own(cancellation => _targets.OpenAsync(_container, _pid, cancellation))
            .PipeTo(Self, success: target => new Opened(target), failure: e => new OpenFailed(e));

    protected override void PostStop() => _ = _owned.ReleaseAsync();

    private void Opening()
    {
        Receive<Opened>(opened =>
        {
            opened.Target.Exited.PipeTo(Self, success: () => new Gone());
            Become(Watching);
        });
        Receive<OpenFailed>(failed => failed.Reason is NodeException { Failure: NodeFailure.TargetGone }, _ => TellExit());
        // The runtime says that it runs, so it is listed; a session in it will say what is wrong.
        Receive<OpenFailed>(failed =>
            _log.Warning("Cannot watch process {0} of container {1}: {2}", _pid, _container, failed.Reason.Message));
    }

    private void Watching() => Receive<Gone>(_ => TellExit());

    private void TellExit()
    {
        Context.Parent.Tell(new Exited(_container, _pid));
        Context.Stop(Self);
    }
}
