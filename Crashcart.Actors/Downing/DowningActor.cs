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
    private readonly TimeSpan _joinWithin;
    private readonly Dictionary<UniqueAddress, DateTimeOffset> _unsettledSince = [];
    private ImmutableHashSet<Address> _decision = [];
    private DateTimeOffset _since;

    public DowningActor(Cluster cluster, TimeSpan stableAfter, TimeSpan joinWithin)
    {
        _cluster = cluster;
        _stableAfter = stableAfter;
        _joinWithin = joinWithin;
        Receive<Look>(_ => OnLook());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(Cluster cluster, TimeSpan stableAfter, TimeSpan joinWithin) =>
        Akka.Actor.Props.Create(() => new DowningActor(cluster, stableAfter, joinWithin));

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Look), new Look(), LookEvery);

    private void OnLook()
    {
        var (state, now) = (_cluster.State, Context.System.Scheduler.Now);
        LookWhetherIgnored(state, now);
        var decision = IsIn(state)
            ? DowningPolicy.Decide(_cluster.SelfAddress, Peers(state))
            : [];
        if (!decision.SetEquals(_decision))
            (_decision, _since) = (decision, now);
        if (now - _since >= _stableAfter || CoordinatorsHaveLeft(state))
            Down();
    }

    /// <summary>
    /// Who welcomed this member may have died before it told the others of it. They then ignore what this member gossips,
    /// and answer its heartbeats: it would join for ever, or see one member for ever that they have removed.
    /// </summary>
    private void LookWhetherIgnored(ClusterEvent.CurrentClusterState state, DateTimeOffset now)
    {
        var unsettled = IsIn(state) ? Unsettled(state).ToHashSet() : [];
        foreach (var settled in _unsettledSince.Keys.Except(unsettled).ToList())
            _unsettledSince.Remove(settled);
        foreach (var address in unsettled)
            _unsettledSince.TryAdd(address, now);
        if (!_unsettledSince.Values.Any(since => now - since >= _joinWithin))
            return;
        _log.Warning("The cluster has not heard {0} for {1:0} s; it leaves to join again", _cluster.SelfAddress, _joinWithin.TotalSeconds);
        _cluster.Down(_cluster.SelfAddress);
        _unsettledSince.Clear();
    }

    /// <summary>Oneself while joining; and for a node, members that coordinators must have removed if they live in the same cluster.</summary>
    private IEnumerable<UniqueAddress> Unsettled(ClusterEvent.CurrentClusterState state)
    {
        if (_cluster.SelfMember.Status is MemberStatus.Joining or MemberStatus.WeaklyUp)
            yield return _cluster.SelfUniqueAddress;
        if (_cluster.SelfMember.HasRole(ClusterSettings.CoordinatorRole))
            yield break;
        foreach (var member in state.Unreachable.Where(member => DowningPolicy.IsGone(Seen(state, member))))
            yield return member.UniqueAddress;
    }

    private bool IsIn(ClusterEvent.CurrentClusterState state) => state.Members.Any(member => member.Address.Equals(_cluster.SelfAddress));

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
        [.. state.Members.Select(member => Seen(state, member))];

    private static Peer Seen(ClusterEvent.CurrentClusterState state, Member member) => new(
        member.Address,
        member.HasRole(ClusterSettings.CoordinatorRole) && member.Status is MemberStatus.Joining or MemberStatus.WeaklyUp or MemberStatus.Up,
        !state.Unreachable.Contains(member),
        state.SeenBy.Contains(member.Address));

    private sealed class Look : INoSerializationVerificationNeeded;
}
