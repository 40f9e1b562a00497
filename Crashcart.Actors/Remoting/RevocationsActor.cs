using Akka.Actor;
using Akka.Cluster;
using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Remoting;

/// <summary>
/// Owns the spread of the authority's list of revoked certificates: a coordinator tells members the list that it has when they come up
/// and when the list changes; whoever is told keeps it if it is newer. The list proves by its signature that it is the authority's.
/// </summary>
internal sealed class RevocationsActor : ReceiveActor
{
    public const string Name = "revocations";

    private readonly IMemberIdentity _identity;
    private readonly Cluster _cluster = Cluster.Get(Context.System);
    private readonly IActorRef _self = Context.Self;
    private readonly bool _tells;

    // By who told it; whoever is not known for a coordinator is nobody in particular. So a member that tells without end
    // occupies one place and one thread, however much it tells.
    private readonly Dictionary<Address, ReadOnlyMemory<byte>> _waiting = [];
    private bool _isTaking;

    public RevocationsActor(IMemberIdentity identity)
    {
        _identity = identity;
        _tells = _cluster.SelfRoles.Contains(ClusterSettings.CoordinatorRole);
        Receive<CertificatesRevoked>(told => OnTold(Sender.Path.Address, told.List.Memory));
        Receive<Taken>(_ => OnTaken());
        Receive<ClusterEvent.MemberUp>(up => Tell(up.Member));
        Receive<Changed>(_ => TellAll());
    }

    public static Props Props(IMemberIdentity identity) => Akka.Actor.Props.Create(() => new RevocationsActor(identity));

    protected override void PreStart()
    {
        if (!_tells)
            return;
        _cluster.Subscribe(Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.MemberUp));
        _identity.Changed += OnChanged;
    }

    protected override void PostStop()
    {
        _identity.Changed -= OnChanged;
        _cluster.Unsubscribe(Self);
    }

    // On a thread of the identity's.
    private void OnChanged() => _self.Tell(new Changed());

    private void OnTold(Address teller, ReadOnlyMemory<byte> list)
    {
        _waiting[IsCoordinator(teller) ? teller : Address.AllSystems] = list;
        TakeNext();
    }

    private void OnTaken()
    {
        _isTaking = false;
        TakeNext();
    }

    private void TakeNext()
    {
        if (_isTaking || _waiting.Count == 0)
            return;
        (Address teller, ReadOnlyMemory<byte> list) = _waiting.First();
        _waiting.Remove(teller);
        _isTaking = true;
        // Writing it to the disk is not the dispatcher's work.
        Task.Run(() => _identity.Take(list)).PipeTo(Self, success: () => new Taken(), failure: _ => new Taken());
    }

    private bool IsCoordinator(Address teller) =>
        _cluster.State.Members.Any(member => member.Address.Equals(teller) && member.HasRole(ClusterSettings.CoordinatorRole));

    private void TellAll()
    {
        foreach (Member member in _cluster.State.Members)
            Tell(member);
    }

    private void Tell(Member member)
    {
        if (_identity.Revoked is { } list && !member.Address.Equals(_cluster.SelfAddress))
            Context.ActorSelection(new RootActorPath(member.Address) / "user" / Name).Tell(new CertificatesRevoked { List = ByteString.CopyFrom(list.Span) });
    }

    private sealed record Changed : INoSerializationVerificationNeeded;

    private sealed record Taken : INoSerializationVerificationNeeded;
}
