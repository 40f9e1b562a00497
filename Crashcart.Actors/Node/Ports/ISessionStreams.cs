using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Ports;

/// <summary>Dials coordinators for the byte streams of sessions.</summary>
public interface ISessionStreams
{
    /// <param name="endpoint">http://HOST:PORT or unix:PATH</param>
    /// <param name="ticket">Opens one session's stream, once.</param>
    /// <exception cref="NodeException">The endpoint is not to be dialled, or does not answer.</exception>
    Task<ISessionCall> DialAsync(string endpoint, ReadOnlyMemory<byte> ticket, CancellationToken cancellation);

    /// <summary>Sends the frames of a session that was kept, at the pace of whoever reads them, and ends the call.</summary>
    /// <exception cref="NodeException">As above, or the call broke, or the frames could not be read.</exception>
    Task RelayAsync(string endpoint, ReadOnlyMemory<byte> ticket, IAsyncEnumerable<NodeFrame> frames, CancellationToken cancellation);
}

/// <summary>One session's call to its coordinator. Disposing breaks it, when it has not ended: what is under way then fails.</summary>
public interface ISessionCall : IAsyncDisposable
{
    /// <summary>
    /// Tells that the tool runs and moves bytes both ways; completes when all output and, as the last frame, the exit status
    /// are out. Nothing is kept beyond one read: a coordinator that does not read stalls the tool.
    /// </summary>
    /// <exception cref="NodeException">The call broke.</exception>
    Task CarryAsync(ITool tool);

    /// <summary>Why the tool is ended from outside, for the person whose session it is: goes out with the exit status.</summary>
    void SayWhy(string why);

    /// <summary>What goes out in place of the tool's exit status, because the tool did not get to its end.</summary>
    void EndAs(SessionFailure failure);

    /// <summary>Ends the call with the reason why the tool was not started.</summary>
    /// <exception cref="NodeException">The call broke.</exception>
    Task FailAsync(SessionFailure failure);
}
