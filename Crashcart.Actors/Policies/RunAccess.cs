using Crashcart.Actors.Fleet;

namespace Crashcart.Actors.Policies;

/// <summary>To which runs, as a whole, somebody may have something done: to his own, or to all.</summary>
/// <param name="Owner">A subject's name.</param>
/// <param name="IsUnlimited">The policy lets him do it everywhere.</param>
public sealed record RunAccess(string Owner, bool IsUnlimited)
{
    public static RunAccess All { get; } = new("", IsUnlimited: true);

    public bool Allows(RunFacts run) => IsUnlimited || run.By == Owner;
}
