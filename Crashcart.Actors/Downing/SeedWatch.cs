using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Downing;

/// <summary>
/// Owns the question whether a coordinator is in the same cluster as the others that it was told of, and answers theirs.
/// Joining asks it once; this asks for as long as one is missing, and does what <see cref="SeedPolicy"/> says when that lasts.
/// A coordinator that moves ends its actor system; the next one joins where the others are.
/// </summary>
internal sealed class SeedWatch : ReceiveActor, IWithTimers
{
    /// <summary>The actor's name at the top of its system.</summary>
    public const string Name = "seeds";

    /// <summary>Looks in a row that must agree before anything is done about it.</summary>
    private const int Agree = 3;

    private readonly ILoggingAdapter _log = Context.GetLogger();
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly ClusterSettings _settings;
    private readonly List<Address> _others;
    private readonly Dictionary<Address, Coordinator> _heard = [];
    private SeedVerdict _verdict;
    private int _looks;
    private SeedProbe? _probe;

    public SeedWatch(ClusterSettings settings)
    {
        _settings = settings;
        _others = [.. settings.SeedAddresses.Where(seed => !seed.Equals(_cluster.SelfAddress))];
        Receive<DescribeCoordinator>(OnDescribe);
        Receive<Heard>(heard => _heard[heard.Coordinator.Address] = heard.Coordinator);
        Receive<Look>(_ => OnLook());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>A coordinator answered.</summary>
    public sealed record Heard(Coordinator Coordinator) : INoSerializationVerificationNeeded;

    public static Props Props(ClusterSettings settings) => Akka.Actor.Props.Create(() => new SeedWatch(settings));

    protected override void PreStart()
    {
        if (_others.Count > 0)
            Timers.StartPeriodicTimer(nameof(Look), new Look(), _settings.SeedWatchInterval);
    }

    protected override void PostStop() => _probe?.Dispose();

    private void OnDescribe(DescribeCoordinator describe) => Sender.Tell(new CoordinatorDescribed
    {
        CorrelationId = describe.CorrelationId,
        Members = Members().Count,
    });

    private void OnLook()
    {
        var members = Members();
        var missing = _others.Where(other => !members.Contains(other)).ToList();
        var apart = missing.Where(_heard.ContainsKey).Select(other => _heard[other]).ToList();
        var verdict = SeedPolicy.Decide(new Coordinator(_cluster.SelfAddress, members.Count), apart);
        _looks = verdict == _verdict ? _looks + 1 : 1;
        _verdict = verdict;
        if (verdict == SeedVerdict.Begin && _looks == Agree)
            Begin();
        else if (verdict == SeedVerdict.Move && _looks == Agree || verdict == SeedVerdict.MoveIfNobodyDoes && _looks == 3 * Agree)
            Move(apart);
        else
            Ask(missing);
    }

    /// <summary>Addresses of the members of one's own cluster; none while one is in no cluster.</summary>
    private HashSet<Address> Members()
    {
        var members = _cluster.State.Members.Select(member => member.Address).ToHashSet();
        return members.Contains(_cluster.SelfAddress) ? members : [];
    }

    private void Ask(List<Address> missing)
    {
        _heard.Clear();
        if (missing.Count == 0)
        {
            _probe?.Dispose();
            _probe = null;
            return;
        }
        _probe ??= new SeedProbe(_settings, Self);
        _probe.Ask(missing);
    }

    private void Begin()
    {
        _log.Warning("None of the other coordinators ({0}) is there; beginning a cluster without them", string.Join(", ", _others));
        _cluster.Join(_cluster.SelfAddress);
    }

    private void Move(List<Coordinator> apart)
    {
        _log.Warning("Coordinators ({0}) are in a cluster of their own; leaving this one to join them", string.Join(", ", apart.Select(other => other.Address)));
        Context.System.Terminate();
    }

    private sealed class Look : INoSerializationVerificationNeeded;
}
