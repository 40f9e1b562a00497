namespace Crashcart.Actors.Node.Ports;

/// <summary>Everything outside that the node's actors use. It outlives the actor system.</summary>
public sealed record NodePorts(
    IReadOnlyList<IContainerRuntime> Runtimes,
    ITargets Targets,
    IImages Images,
    IStoredImages StoredImages,
    ISharedMounts Mounts,
    ITools Tools,
    ISessionStreams Streams,
    IRunRecords Records,
    IPeopleMounts PeopleMounts,
    ILeaseStore Leases,
    IHostState Host,
    IAuditLines Audit)
{
    /// <summary>Null: the fleet has no authority, and nobody signs anything.</summary>
    public IGrants? Grants { get; init; }
}
