using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Ports;

/// <summary>Keeps what sessions write and how they end, for those who ask later.</summary>
public interface IRunRecords
{
    /// <summary>
    /// Begins the record of a session, into which goes what else goes to a coordinator. Disposing completes it: a session
    /// whose end was not told is kept as one that the node ended.
    /// </summary>
    /// <exception cref="NodeException">There is no room for it, the disk fails, or the request is malformed.</exception>
    Task<ISessionCall> OpenAsync(StartSession start, CancellationToken cancellation);

    /// <summary>How the session ended; null while it runs, or when nothing is kept of it.</summary>
    SessionEnd? EndOf(SessionId session);

    /// <param name="run">One with its sessions; null: all, without.</param>
    Task<IReadOnlyList<KeptRun>> FindAsync(RunId? run);

    /// <summary>What a stream carried, as its frames; the last is the exit frame, if the session has ended.</summary>
    /// <param name="follow">Waits for the end of a session that runs.</param>
    /// <param name="endsOnly">Leaves the output out.</param>
    /// <exception cref="NodeException">Nothing is kept of the session, or the disk fails.</exception>
    IAsyncEnumerable<NodeFrame> ReadAsync(SessionId session, bool follow, bool endsOnly, CancellationToken cancellation);

    /// <summary>Forgets a run; one of which nothing is kept is none.</summary>
    /// <exception cref="NodeException">It runs, or the disk fails.</exception>
    Task RemoveAsync(RunId run);

    /// <summary>Forgets what is older than the node was told to keep.</summary>
    /// <exception cref="NodeException">The disk fails.</exception>
    Task SweepAsync();
}
