namespace Crashcart.Coordinator.Limits;

/// <summary>What one user may have at one time. Root, by the Unix socket, may have as much as there is.</summary>
/// <param name="Connections">To one listener.</param>
/// <param name="Calls">Those that carry a run among them.</param>
internal sealed record UserLimits(int Connections, int Calls)
{
    /// <summary>When nobody says otherwise.</summary>
    public static UserLimits Default { get; } = new(Connections: 256, Calls: 256);

    /// <summary>A node dials for its sessions and for images. A session is one call, and the users' limits bound them.</summary>
    public static UserLimits OfNode { get; } = new(Connections: 32, Calls: int.MaxValue);

    public int Of(Limit limit) => limit == Limit.Connections ? Connections : Calls;
}

/// <summary>What is counted.</summary>
internal enum Limit
{
    Connections,
    Calls,
}
