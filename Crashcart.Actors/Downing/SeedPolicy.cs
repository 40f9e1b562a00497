using Akka.Actor;
using Akka.Cluster;

namespace Crashcart.Actors.Downing;

/// <summary>What one coordinator knows of another, or of itself.</summary>
/// <param name="Members">How many its cluster has; 0 while it is in none.</param>
internal readonly record struct Coordinator(Address Address, int Members);

/// <summary>What a coordinator has to do for that there be one cluster.</summary>
internal enum SeedVerdict
{
    Stay,

    /// <summary>There is no cluster: begin one.</summary>
    Begin,

    /// <summary>Leave one's own cluster for another.</summary>
    Move,

    /// <summary>Another has to move; do it oneself if that one does not, as it may not have been told of us.</summary>
    MoveIfNobodyDoes,
}

/// <summary>
/// How coordinators that are apart, because they started so or because the network was cut, become one cluster again: the
/// smaller cluster goes, since the sessions of those that go end; among equals the one whose coordinator is last in order.
/// </summary>
internal static class SeedPolicy
{
    /// <param name="apart">Coordinators that are alive and not in <paramref name="self"/>'s cluster.</param>
    public static SeedVerdict Decide(Coordinator self, IReadOnlyCollection<Coordinator> apart)
    {
        if (self.Members == 0)
            return apart.Any(other => other.Members > 0 || IsBefore(other, self)) ? SeedVerdict.Stay : SeedVerdict.Begin;
        var others = apart.Where(other => other.Members > 0).ToList();
        if (others.Count == 0)
            return SeedVerdict.Stay;
        return others.Any(other => Outweighs(other, self)) ? SeedVerdict.Move : SeedVerdict.MoveIfNobodyDoes;
    }

    private static bool Outweighs(Coordinator one, Coordinator other) =>
        one.Members != other.Members ? one.Members > other.Members : IsBefore(one, other);

    private static bool IsBefore(Coordinator one, Coordinator other) =>
        Member.AddressOrdering.Compare(one.Address, other.Address) < 0;
}
