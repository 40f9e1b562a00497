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

    public RevocationsActor(IMemberIdentity identity)
    {
        _identity = identity;
        _tells = _cluster.SelfRoles.Contains(ClusterSettings.CoordinatorRole);
        Receive<CertificatesRevoked>(told => OnTold(told.List.Memory));
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

    // Writing it to the disk is not the dispatcher's work.
    private void OnTold(ReadOnlyMemory<byte> list) => Task.Run(() => _identity.Take(list));

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
}
