using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Ports;

/// <summary>Why a node could not do something, as far as anybody acts on it.</summary>
public enum NodeFailure
{
    /// <summary>Crashcart, the host or a peer failed.</summary>
    Failed,

    /// <summary>The node was given no image file, or it is not there.</summary>
    NoImage,

    /// <summary>The container is gone.</summary>
    TargetGone,

    /// <summary>The tool exists and cannot be executed.</summary>
    ToolNotExecutable,

    /// <summary>No such tool.</summary>
    ToolNotFound,

    /// <summary>The tool ran as long as it may.</summary>
    TimedOut,
}

/// <summary>A port failed. The message is for a person: what was tried, on what, why it failed, what to do.</summary>
public sealed class NodeException(NodeFailure failure, string message, Exception? inner = null) : Exception(message, inner)
{
    public NodeFailure Failure { get; } = failure;

    /// <summary>What the session's stream says about an exception of a port.</summary>
    public static SessionFailure Describe(Exception exception) => exception switch
    {
        NodeException known => new SessionFailure { ExitCode = ExitCode(known.Failure), Message = known.Message },
        _ => new SessionFailure
        {
            ExitCode = ExitCode(NodeFailure.Failed),
            Message = $"The node failed unexpectedly ({exception.GetType().Name}: {exception.Message}); its log says more.",
        },
    };

    // As docker(1) has them.
    private static int ExitCode(NodeFailure failure) => failure switch
    {
        NodeFailure.ToolNotExecutable => 126,
        NodeFailure.ToolNotFound => 127,
        NodeFailure.TimedOut => 124,
        _ => 125,
    };
}
