using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace Crashcart.Actors.Downing;

/// <summary>
/// Owns the question whether a coordinator is in the same cluster as the others that it was told of. Joining asks it once;
/// this asks for as long as the process runs. A coordinator that finds no other alive begins a cluster without them; one
/// that finds another alive in a cluster of its own ends its actor system, and the next one joins there.
/// </summary>
internal sealed class SeedWatch : ReceiveActor, IWithTimers
{
    /// <summary>Looks in a row that must agree before anything is done about it.</summary>
    private const int Agree = 3;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly IReadOnlyList<Address> _others;
    private readonly TimeSpan _interval;
    private readonly HashSet<Address> _alive = [];
    private int _alone;
    private int _apart;

    public SeedWatch(IEnumerable<Address> seeds, TimeSpan interval)
    {
        _others = [.. seeds.Where(seed => !seed.Equals(_cluster.SelfAddress))];
        _interval = interval;
        Receive<ActorIdentity>(OnIdentity);
        Receive<Look>(_ => OnLook());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(IEnumerable<Address> seeds, TimeSpan interval) =>
        Akka.Actor.Props.Create(() => new SeedWatch(seeds, interval));

    protected override void PreStart() => Timers.StartPeriodicTimer(nameof(Look), new Look(), _interval);

    private void OnIdentity(ActorIdentity identity)
    {
        if (identity.Subject is not null)
            _alive.Add(identity.Subject.Path.Address);
    }

    private void OnLook()
    {
        var members = _cluster.State.Members.Select(member => member.Address).ToHashSet();
        var isMember = members.Contains(_cluster.SelfAddress);
        _alone = isMember || _alive.Count > 0 ? 0 : _alone + 1;
        _apart = isMember && _alive.Any(other => !members.Contains(other)) ? _apart + 1 : 0;
        if (_alone == Agree)
            Begin();
        if (_apart == Patience(members))
            Join();
        Ask();
    }

    private void Ask()
    {
        _alive.Clear();
        // Without an id, because only wire messages are serialized.
        foreach (var other in _others)
            Context.ActorSelection(new RootActorPath(other) / "system" / "cluster" / "core" / "daemon").Tell(new Identify(null));
    }

    private void Begin()
    {
        _log.Warning("None of the other coordinators ({0}) is there; beginning a cluster without them", string.Join(", ", _others));
        _cluster.Join(_cluster.SelfAddress);
    }

    private void Join()
    {
        _log.Warning("Coordinators ({0}) are in a cluster of their own; leaving this one to join them", string.Join(", ", _alive));
        Context.System.Terminate();
    }

    /// <summary>Of two that see each other apart, the last in order moves; the other does so only when that did not help.</summary>
    private int Patience(HashSet<Address> members) =>
        _alive.Any(other => !members.Contains(other) && Member.AddressOrdering.Compare(_cluster.SelfAddress, other) < 0) ? 2 * Agree : Agree;

    private sealed class Look : INoSerializationVerificationNeeded;
}
