namespace Crashcart.Chaos.Plans;

/// <summary>Plans rounds: a round depends on the seed and its number, and on nothing else.</summary>
internal static class Planner
{
    /// <summary>Loads begin, and faults happen, within this time.</summary>
    private static readonly TimeSpan Window = TimeSpan.FromMilliseconds(700);

    private static readonly (FaultKind Kind, int Weight, string[] Actions)[] Faults =
    [
        (FaultKind.Step, 40, []),
        (FaultKind.CommandLine, 12, ["kill", "terminate", "stop"]),
        (FaultKind.Guardian, 8, ["kill", "stop", "terminate"]),
        (FaultKind.Entrant, 4, ["kill", "stop"]),
        (FaultKind.Reaper, 8, ["kill", "stop", "terminate"]),
        (FaultKind.Tool, 8, ["kill", "stop", "terminate"]),
        (FaultKind.Node, 6, ["kill", "terminate", "stop", "restart"]),
        (FaultKind.Coordinator, 4, ["kill", "terminate", "stop", "restart"]),
        (FaultKind.Container, 8, ["kill", "stop", "restart", "pause", "remove"]),
        (FaultKind.Docker, 4, ["kill", "terminate", "stop", "restart"]),
        (FaultKind.StateDirectory, 4, ["full", "read-only", "error"]),
    ];

    private static readonly LoadKind[] Loads = Enum.GetValues<LoadKind>();

    public static RoundPlan Plan(int seed, int round)
    {
        // The classic generator: its numbers are the same on every version of .NET.
        var random = new Random(unchecked((seed * 486_187_739) + round));
        LoadPlan[] loads = [.. Enumerable.Range(0, random.Next(3, 6)).Select(_ => Load(random))];
        FaultPlan[] faults = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => Fault(random)).OrderBy(fault => fault.At)];
        return new RoundPlan(round, loads, faults);
    }

    private static LoadPlan Load(Random random) =>
        new(Loads[random.Next(Loads.Length)], random.Next(1000), Within(random, Window / 3));

    private static FaultPlan Fault(Random random)
    {
        var (kind, actions) = Kind(random);
        var action = kind == FaultKind.Step ? Step(random) : actions[random.Next(actions.Length)];
        // A step is armed before the load begins, or it would be passed already.
        var at = kind == FaultKind.Step ? TimeSpan.Zero : Within(random, Window);
        return new FaultPlan(kind, action, random.Next(1000), at, Within(random, Window));
    }

    private static (FaultKind, string[]) Kind(Random random)
    {
        var chosen = random.Next(Faults.Sum(fault => fault.Weight));
        foreach (var (kind, weight, actions) in Faults)
        {
            chosen -= weight;
            if (chosen < 0)
                return (kind, actions);
        }
        throw new InvalidOperationException("The weights do not add up.");
    }

    private static string Step(Random random)
    {
        var (step, actions) = Steps.All[random.Next(Steps.All.Count)];
        return $"{step} {actions[random.Next(actions.Length)]}";
    }

    private static TimeSpan Within(Random random, TimeSpan limit) => TimeSpan.FromMilliseconds(random.Next((int)limit.TotalMilliseconds));
}
