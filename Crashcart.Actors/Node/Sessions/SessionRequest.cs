using Akka.Actor;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Sessions;

/// <param name="Requester">The run's actor; the session ends when it does, unless it is kept.</param>
internal sealed record SessionRequest(StartSession Start, IActorRef Requester)
{
    public string Id => Start.SessionId;

    /// <summary>The node keeps what the tool writes, for those who ask later.</summary>
    public bool IsKept => Start.Keep is not null;

    /// <summary>Alone fit for a log: arguments and environment may hold secrets.</summary>
    public string ToolName => Start.Tool?.Argv.FirstOrDefault() ?? "shell";
}

/// <summary>The actors that a session turns to.</summary>
internal sealed record SessionNeighbours(IActorRef Containers, IActorRef Images, IActorRef Mounts);
