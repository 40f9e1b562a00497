namespace Crashcart.Actors.Node.Ports;

/// <summary>A container runtime of this host, as Docker's API is one.</summary>
public interface IContainerRuntime
{
    /// <summary>docker, podman, …; unique on the node.</summary>
    string Name { get; }

    /// <summary>What runs now, paused containers included.</summary>
    Task<RuntimeSnapshot> SnapshotAsync(CancellationToken cancellation);

    /// <summary>The ids of what runs now.</summary>
    Task<IReadOnlyList<ContainerId>> ListAsync(CancellationToken cancellation);

    /// <summary>
    /// Names each container whose state changes after <paramref name="mark"/>, possibly more than once. Ends or fails only
    /// when the connection breaks; what happened after that is a gap.
    /// </summary>
    Task WatchAsync(string mark, Action<ContainerId> changed, CancellationToken cancellation);

    /// <summary>The container, or null when it does not run.</summary>
    Task<Container?> InspectAsync(ContainerId id, CancellationToken cancellation);
}

/// <param name="Version">The runtime's version.</param>
/// <param name="Mark">A point in the runtime's event stream that is not later than the list.</param>
public sealed record RuntimeSnapshot(string Version, string Mark, IReadOnlyList<Container> Containers);
