using Akka.Actor;

namespace Crashcart.Actors.Fleet;

internal static class SenderAddress
{
    /// <summary>The member that has the sender. In this process senders have the system's own address, without host and port.</summary>
    public static Address MemberOfSender(this IActorContext context) =>
        context.Sender.Path.Address.HasGlobalScope ? context.Sender.Path.Address : Akka.Cluster.Cluster.Get(context.System).SelfAddress;
}
