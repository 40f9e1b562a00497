using Akka.Actor;
using Akka.Event;
using Crashcart.Actors.Node.Containers;
using Crashcart.Actors.Node.People;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Node.Sessions;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Reconciliation;

/// <summary>
/// Owns the comparison of what the kernel has with what the node knows: at the start, every minute, and when somebody wants
/// to see what is held. What is not the node's, and is used, it leaves alone.
/// Idle → Asking → Looking → Settling → Releasing → Idle
/// </summary>
internal sealed class ReconcilerActor : ReceiveActor, IWithTimers
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(60);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Lifetime _lifetime = Lifetime.Begin();
    private readonly List<(IActorRef Asker, FindLeases Question)> _waiting = [];
    private readonly List<(IActorRef Asker, FindLeases Question)> _served = [];
    private readonly IHostState _host;
    private readonly Neighbours _node;
    private LeaseListing _last = LeaseListing.Empty;
    private string _problem = "";
    private bool _again;
    private bool _isFirst = true;
    private int _adopted;
    private int _reclaimed;

    public ReconcilerActor(IHostState host, Neighbours node)
    {
        _host = host;
        _node = node;
        Become(Idle);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>The actors that know what is held.</summary>
    public sealed record Neighbours(IActorRef Containers, IActorRef Sessions, IActorRef Leases);

    /// <summary>To the parent, at every change: how much there was since this started.</summary>
    /// <param name="Adopted">Mounts that were there and are held by a lease now, whether that was kept or is new.</param>
    /// <param name="Reclaimed">Mounts and sessions of killed processes that were taken away.</param>
    public sealed record Counted(int Adopted, int Reclaimed) : ILocalMessage;

    private sealed record Look : ILocalMessage;

    private sealed record Looked(HostFindings Findings) : ILocalMessage;

    private sealed record LookFailed(string Problem) : ILocalMessage;

    private sealed record Released(IReadOnlyList<FoundMount> Mounts, IReadOnlyList<SessionId> Sessions, IReadOnlyList<string> Problems) : ILocalMessage;

    public static Props Props(IHostState host, Neighbours node) => Akka.Actor.Props.Create(() => new ReconcilerActor(host, node));

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer(nameof(Look), new Look(), Interval);
        Ask();
    }

    protected override void PostStop() => _lifetime.End();

    private void Idle()
    {
        Receive<Look>(_ => Ask());
        Receive<FindLeases>(find =>
        {
            _waiting.Add((Sender, find));
            Ask();
        });
    }

    private void Asking()
    {
        Receive<LeasesActor.Known>(known =>
        {
            _host.LookAsync(_lifetime.Token).PipeTo(
                Self, success: findings => new Looked(findings), failure: e => new LookFailed(e.Message));
            Become(() => Looking(known.Leases));
        });
        ReceiveQuestions();
    }

    private void Looking(IReadOnlySet<LeaseId> known)
    {
        Receive<Looked>(looked =>
        {
            _node.Leases.Tell(new LeasesActor.Settle(looked.Findings.Mounts, known));
            Become(() => Settling(looked.Findings));
        });
        Receive<LookFailed>(failed =>
        {
            _log.Error("Could not look for what the kernel has of this node's: {0}", failed.Problem);
            _problem = failed.Problem;
            Finish();
        });
        ReceiveQuestions();
    }

    private void Settling(HostFindings findings)
    {
        Receive<LeasesActor.Settled>(settled =>
        {
            _adopted += settled.Settlement.TakenUp.Count + settled.Settlement.Adopted.Count;
            _last = new LeaseListing(findings, settled.Leases, [], settled.Digests);
            _node.Sessions.Tell(new SessionsActor.List());
        });
        Receive<SessionsActor.Listed>(listed =>
        {
            _last = _last with { Sessions = listed.Sessions };
            ReleaseAsync(Plan.For(findings, listed.Sessions)).PipeTo(Self);
            Become(Releasing);
        });
        ReceiveQuestions();
    }

    private void Releasing()
    {
        Receive<Released>(released =>
        {
            foreach (var mount in released.Mounts)
                _log.Info("Released the mount in container {0} ({1}), which killed sessions had left", mount.Container, mount.LoopDevice);
            foreach (var session in released.Sessions)
                _log.Info("Removed session {0}, which a killed process of this node had left", session);
            foreach (var problem in released.Problems)
                _log.Error("Could not release what a killed process had left: {0}", problem);
            _reclaimed += released.Mounts.Count + released.Sessions.Count;
            _last = _last with { Findings = _last.Findings with { Mounts = [.. _last.Findings.Mounts.Except(released.Mounts)] } };
            Finish();
        });
        ReceiveQuestions();
    }

    private void Ask()
    {
        (_again, _problem) = (false, "");
        _served.AddRange(_waiting);
        _waiting.Clear();
        _node.Leases.Tell(new LeasesActor.Mention());
        Become(Asking);
    }

    private void Finish()
    {
        if (_isFirst && _problem.Length == 0)
        {
            _log.Info("Looked over the host: {0} mounts that were there taken up, {1} mounts and sessions of killed processes released", _adopted, _reclaimed);
            _isFirst = false;
        }

        Context.Parent.Tell(new Counted(_adopted, _reclaimed));
        foreach (var (asker, question) in _served)
            Context.ActorOf(LeaseAnswerActor.Props(_node.Containers, asker, question, _last, _problem));
        _served.Clear();
        if (_again || _waiting.Count > 0)
            Ask();
        else
            Become(Idle);
    }

    private async Task<Released> ReleaseAsync(Plan plan)
    {
        List<string> problems = [];
        var mounts = plan.Mounts.Select(async mount => (Thing: mount, Done: await TryAsync(() => _host.ReleaseAsync(mount, _lifetime.Token), problems))).ToList();
        var sessions = plan.Sessions.Select(async session => (Thing: session, Done: await TryAsync(() => RemoveAsync(session), problems))).ToList();
        return new Released(
            [.. (await Task.WhenAll(mounts)).Where(mount => mount.Done).Select(mount => mount.Thing)],
            [.. (await Task.WhenAll(sessions)).Where(session => session.Done).Select(session => session.Thing)],
            problems);
    }

    private async Task<bool> RemoveAsync(SessionId session)
    {
        await _host.RemoveAsync(session, _lifetime.Token);
        return true;
    }

    private static async Task<bool> TryAsync(Func<Task<bool>> release, List<string> problems)
    {
        try
        {
            return await release();
        }
        catch (NodeException e) when (e.Failure == NodeFailure.TargetGone)
        {
            // A container that has ended took it along.
            return false;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            lock (problems)
                problems.Add(e.Message);
            return false;
        }
    }

    // The look that is under way may have been too early for who asks now.
    private void ReceiveQuestions()
    {
        Receive<FindLeases>(find => _waiting.Add((Sender, find)));
        Receive<Look>(_ => _again = true);
    }
}
