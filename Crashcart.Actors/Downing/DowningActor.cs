using System.Collections.Immutable;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Crashcart.Actors.Downing;

/// <summary>Owns the patience between what <see cref="DowningPolicy"/> decides and doing it: only what lasts is done.</summary>
internal sealed class DowningActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(500);

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Cluster _cluster;
    private readonly TimeSpan _stableAfter;
    private ImmutableHashSet<Address> _decision = [];
    private DateTimeOffset _since;

    public DowningActor(Cluster cluster, TimeSpan stableAfter)
    {
        _cluster = cluster;
        _stableAfter = stableAfter;
        Receive<Look>(_ => OnLook());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(Cluster cluster, TimeSpan stableAfter) =>
        Akka.Actor.Props.Create(() => new DowningActor(cluster, stableAfter));

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Look), new Look(), LookEvery);

    private void OnLook()
    {
        var state = _cluster.State;
        var decision = state.Members.Any(member => member.Address.Equals(_cluster.SelfAddress))
            ? DowningPolicy.Decide(_cluster.SelfAddress, Peers(state))
            : [];
        var now = Context.System.Scheduler.Now;
        if (!decision.SetEquals(_decision))
            (_decision, _since) = (decision, now);
        if (now - _since >= _stableAfter || CoordinatorsHaveLeft(state))
            Down();
    }

    /// <summary>In order, which no failure detector can be wrong about.</summary>
    private static bool CoordinatorsHaveLeft(ClusterEvent.CurrentClusterState state) => !state.Members.Any(
        member => member.HasRole(ClusterSettings.CoordinatorRole) && member.Status is not (MemberStatus.Exiting or MemberStatus.Down));

    private void Down()
    {
        foreach (var address in _decision)
        {
            _log.Warning(
                address.Equals(_cluster.SelfAddress) ? "No coordinator is reachable; {0} leaves the cluster to join again" : "{0} is lost",
                address);
            _cluster.Down(address);
        }

        // Until it is done it is decided again, and gets the same patience.
        _decision = [];
    }

    private static List<Peer> Peers(ClusterEvent.CurrentClusterState state) =>
        [.. state.Members.Select(member => new Peer(
            member.Address,
            member.HasRole(ClusterSettings.CoordinatorRole) && member.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up,
            !state.Unreachable.Contains(member),
            state.SeenBy.Contains(member.Address)))];

    private sealed class Look : INoSerializationVerificationNeeded;
}
