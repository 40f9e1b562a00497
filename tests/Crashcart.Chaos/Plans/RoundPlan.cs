using System.Globalization;

namespace Crashcart.Chaos.Plans;

/// <param name="Place">Chooses a container, modulo how many there are.</param>
/// <param name="At">After the round's begin.</param>
internal sealed record LoadPlan(LoadKind Kind, int Place, TimeSpan At)
{
    /// <summary>A person asks for a mount, and it is a person's to take away.</summary>
    public bool IsMount => Kind is LoadKind.Mount or LoadKind.MountAndUnmount or LoadKind.NodeMount or LoadKind.NodeMountAndUnmount;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{At.TotalMilliseconds:0} ms {Kind} #{Place}");
}

/// <param name="Action">Kill, stop, … as the kind has them; for a step its name and an action.</param>
/// <param name="Place">Chooses a victim, modulo how many there are at that moment.</param>
/// <param name="At">After the round's begin.</param>
/// <param name="Length">How long something that can be undone lasts.</param>
internal sealed record FaultPlan(FaultKind Kind, string Action, int Place, TimeSpan At, TimeSpan Length)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{At.TotalMilliseconds:0} ms {Kind} {Action} #{Place} ({Length.TotalMilliseconds:0} ms)");
}

/// <summary>One round: the load, and what breaks meanwhile.</summary>
internal sealed record RoundPlan(int Number, IReadOnlyList<LoadPlan> Loads, IReadOnlyList<FaultPlan> Faults)
{
    public override string ToString() => $"load: {string.Join("; ", Loads)}\nfaults: {string.Join("; ", Faults)}";
}
