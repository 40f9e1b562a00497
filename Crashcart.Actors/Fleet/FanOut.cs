namespace Crashcart.Actors.Fleet;

/// <summary>How a run goes through its targets.</summary>
public sealed record FanOut
{
    public static FanOut AllAtOnce { get; } = new();

    /// <summary>Sessions at one time; 0 means no limit.</summary>
    public int Parallel { get; init; }

    /// <summary>Sessions at one time on each node; 0 means no limit.</summary>
    public int PerNode { get; init; }

    /// <summary>So many targets go first, and the others only when the tool has ended with 0 in all of these; 0 means none.</summary>
    public int Canary { get; init; }

    /// <summary>Null: failures stop nothing.</summary>
    public FailureLimit? MaxFailures { get; init; }

    /// <summary>Whether there may be targets that start later than others.</summary>
    public bool IsStaggered(int targets) =>
        IsBelow(Parallel, targets) || IsBelow(PerNode, targets) || IsBelow(Canary, targets);

    private static bool IsBelow(int limit, int targets) => limit > 0 && limit < targets;
}

/// <summary>How many targets may fail before no more are started.</summary>
/// <param name="IsPercent">Of the targets.</param>
public readonly record struct FailureLimit(int Value, bool IsPercent)
{
    public bool IsPassed(int failures, int targets) => IsPercent ? failures * 100L > (long)Value * targets : failures > Value;

    public override string ToString() => IsPercent ? $"{Value}%" : $"{Value}";
}
