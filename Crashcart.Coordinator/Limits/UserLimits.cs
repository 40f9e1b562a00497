namespace Crashcart.Coordinator.Limits;

/// <summary>What one user may have at one time. Root, by the Unix socket, may have as much as there is.</summary>
/// <param name="Connections">To one listener.</param>
/// <param name="Calls">Those that carry a run among them.</param>
/// <param name="Runs">Those among them that go on without their client.</param>
internal sealed record UserLimits(int Connections, int Calls, int Runs, int Sessions)
{
    /// <summary>When nobody says otherwise.</summary>
    public static UserLimits Default { get; } = new(Connections: 256, Calls: 256, Runs: 128, Sessions: 1000);

    /// <summary>
    /// A node dials for its sessions and for images. A session is one call, and the users' limits bound them; what it may make a
    /// coordinator hold is bounded by the calls of these connections.
    /// </summary>
    public static UserLimits OfNode { get; } = Default with { Connections = 8, Calls = int.MaxValue };

    public int Of(Limit limit) => limit switch
    {
        Limit.Connections => Connections,
        Limit.Calls => Calls,
        Limit.Runs => Runs,
        _ => Sessions,
    };
}

/// <summary>What is counted.</summary>
internal enum Limit
{
    Connections,
    Calls,
    Runs,
    Sessions,
}
