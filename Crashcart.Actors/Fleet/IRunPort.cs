using Crashcart.Actors.Protocol;
using Google.Protobuf;

namespace Crashcart.Actors.Fleet;

/// <summary>What a run needs of the coordinator: streams for its sessions, and somebody to tell.</summary>
public interface IRunPort
{
    /// <summary>
    /// A ticket for the stream of one session. Whoever presents it first attaches the stream; its course is told to the
    /// run's actor as <see cref="Run.StreamBegan"/>, <see cref="Run.StreamExited"/> or <see cref="Run.StreamLost"/>.
    /// </summary>
    /// <param name="number">Of the target in its run.</param>
    /// <param name="node">Whose stream it is; no other may present the ticket.</param>
    StreamTicket Open(int number, string node);

    /// <summary>Completes when the session may start; puts into the order what the node is to know of who wants it.</summary>
    /// <exception cref="Exception">It must not; the message is for the run's client.</exception>
    Task AdmitAsync(int number, RunTarget target, StartSession order);

    /// <summary>Breaks the session's stream and voids its ticket; nothing of the session is delivered after that.</summary>
    void Close(int target);

    /// <summary>The image of the fleet's for sessions on nodes that were given none; null when there is none.</summary>
    Task<WantedImage?> DefaultImageAsync();

    /// <summary>Tells the client. Never blocks.</summary>
    void Tell(RunEvent happened);
}

/// <param name="Endpoint">http://HOST:PORT or unix:PATH, as the node dials it.</param>
/// <param name="Secret">Unguessable and good for one call.</param>
public sealed record StreamTicket(string Endpoint, ByteString Secret);

/// <summary>The course of a run, in order. After <see cref="Rejected"/> or <see cref="Ended"/> there is nothing more.</summary>
public abstract record RunEvent
{
    private RunEvent()
    {
    }

    /// <summary>Nothing was started, because what was asked for makes no sense or is not there.</summary>
    /// <param name="NotFound">Otherwise the request itself is wrong.</param>
    public sealed record Rejected(bool NotFound, string Message) : RunEvent;

    /// <param name="Matched">How many containers match, of which the targets may be a choice.</param>
    public sealed record Started(RunId Run, IReadOnlyList<RunTarget> Targets, IReadOnlyList<SilentNode> Silent, int Matched) : RunEvent;

    /// <summary>Containers that match and have started since; their numbers go on from those before.</summary>
    public sealed record Joined(IReadOnlyList<RunTarget> Targets) : RunEvent;

    /// <summary>The node fetches the image that the session needs; comes again and again.</summary>
    /// <param name="Received">Bytes, of <paramref name="Size"/>.</param>
    public sealed record SessionWaits(int Target, string Image, long Received, long Size) : RunEvent;

    public sealed record SessionStarted(int Target, SessionId Session) : RunEvent;

    public sealed record SessionEnded(int Target, SessionOutcome Outcome) : RunEvent;

    /// <summary>Or the run goes on without its client.</summary>
    public sealed record Ended : RunEvent
    {
        /// <summary>Of a run that is read later: what is not there to be read.</summary>
        public IReadOnlyList<SilentNode> Missing { get; init; } = [];
    }
}
