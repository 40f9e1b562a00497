using System.Collections.Immutable;
using Akka.Actor;

namespace Crashcart.Actors.Downing;

/// <summary>What one member sees of another, or of itself.</summary>
/// <param name="IsCoordinator">It serves clients, and is not on its way out.</param>
/// <param name="IsReachable">No failure detector misses it; always true of oneself.</param>
/// <param name="HasSeen">It has taken part in the latest gossip, so it lives, whoever misses it.</param>
internal readonly record struct Peer(Address Address, bool IsCoordinator, bool IsReachable, bool HasSeen);

/// <summary>
/// Who leaves the cluster when members do not reach each other. Coordinators hold no state that two of them could
/// contradict each other about, so each that lives stays, and removes whom it does not reach. A node without a coordinator
/// serves nobody: it removes itself, and its process joins anew.
/// </summary>
/// <remarks>
/// Akka's static quorum downs everybody as soon as there are more coordinators than twice the quorum less one; its other
/// strategies let the loss of one coordinator take the rest along, or leave nodes behind that are a cluster by themselves.
/// </remarks>
internal static class DowningPolicy
{
    /// <returns>Whom <paramref name="self"/> has to down, if what it sees lasts.</returns>
    public static ImmutableHashSet<Address> Decide(Address self, IReadOnlyCollection<Peer> peers)
    {
        if (!peers.Any(peer => peer.IsCoordinator && (peer.IsReachable || peer.HasSeen)))
            return [self];
        return peers.Any(peer => peer.IsCoordinator && peer.Address.Equals(self))
            ? [.. peers.Where(peer => IsGone(peer) && !peer.Address.Equals(self)).Select(peer => peer.Address)]
            : [];
    }

    /// <summary>A node that misses a coordinator which others reach must not bring it down.</summary>
    public static bool IsGone(Peer peer) => !peer.IsReachable && !(peer.IsCoordinator && peer.HasSeen);
}
