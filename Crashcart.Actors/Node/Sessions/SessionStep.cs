using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Sessions;

/// <summary>What a session tells itself when something that it waits for has happened.</summary>
internal static class SessionStep
{
    public sealed record Dialled(ISessionCall Call) : ILocalMessage;

    public sealed record Opened(Container Container, ITarget Target) : ILocalMessage;

    public sealed record Started(ITool Tool) : ILocalMessage;

    public sealed record StartIsLate : ILocalMessage;

    /// <summary>A tool that nobody waits for has run as long as it may.</summary>
    public sealed record TimeIsOver(SessionFailure Failure) : ILocalMessage;

    /// <summary>A step before the tool's start failed.</summary>
    public sealed record NotStarted(SessionFailure Failure) : ILocalMessage;

    /// <summary>The stream was told why there is no tool.</summary>
    public sealed record RefusalTold : ILocalMessage;

    /// <summary>All output and the exit status are out.</summary>
    public sealed record Carried : ILocalMessage;

    /// <summary>The coordinator cannot be reached, or is gone.</summary>
    public sealed record StreamLost(string Problem) : ILocalMessage;

    public sealed record ContainerExited : ILocalMessage;

    public sealed record ToolExited : ILocalMessage;

    /// <summary>The tool was asked long enough.</summary>
    public sealed record GraceOver : ILocalMessage;

    /// <summary>The coordinator had long enough to read.</summary>
    public sealed record DrainOver : ILocalMessage;

    /// <summary>Nothing is owned any more, or it could not be released.</summary>
    public sealed record Released(Exception? Problem) : ILocalMessage;
}
