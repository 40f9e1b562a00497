using Crashcart.Actors.Node.People;

namespace Crashcart.Actors.Node.Ports;

/// <summary>Keeps the leases that people hold where they survive the process and the host's power.</summary>
public interface ILeaseStore
{
    /// <summary>What was kept last. What cannot be understood is put aside and told in the log; it is never an error.</summary>
    /// <exception cref="NodeException">The disk does not answer as it has to.</exception>
    Task<IReadOnlyList<MountLease>> ReadAsync(CancellationToken cancellation);

    /// <summary>Keeps these and no others.</summary>
    /// <exception cref="NodeException">The disk is full or fails; what was kept before still is.</exception>
    Task WriteAsync(IReadOnlyList<MountLease> leases, CancellationToken cancellation);
}
