namespace Crashcart.Actors.Node.Containers;

/// <summary>What a runtime's actor tells about its containers.</summary>
internal static class RuntimeEvent
{
    /// <summary>Everything that runs, now.</summary>
    public sealed record Synchronized(string Runtime, string Version, IReadOnlyList<Container> Containers) : ILocalMessage;

    /// <summary>The ids of everything that runs, to be compared with what the events made known.</summary>
    public sealed record Listed(string Runtime, IReadOnlyList<ContainerId> Ids) : ILocalMessage;

    /// <summary>Something happened to the container; what it is follows as <see cref="Observed"/> or <see cref="Vanished"/>.</summary>
    public sealed record Touched(string Runtime, ContainerId Id) : ILocalMessage;

    public sealed record Observed(Container Container) : ILocalMessage;

    public sealed record Vanished(ContainerId Id) : ILocalMessage;

    /// <summary>The runtime does not answer; what is known of it may be out of date until it synchronizes again.</summary>
    public sealed record Lost(string Runtime, string Problem) : ILocalMessage;
}
