namespace Crashcart.Actors.Node;

/// <summary>What does not change about a node while it runs.</summary>
/// <param name="Linger">How long an image stays attached after its last user, for the next one; zero is not at all.</param>
public sealed record NodeFacts(string Name, string Version, string Kernel, string Architecture, TimeSpan Linger = default)
{
    /// <summary>At one time.</summary>
    public int MaxSessions { get; init; } = int.MaxValue;
}
