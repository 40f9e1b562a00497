namespace Crashcart.Native;

/// <summary>Why Crashcart could not do what it was asked, as far as a caller can act on it.</summary>
public enum FailureReason
{
    /// <summary>The kernel or the host refused; the message carries call and errno.</summary>
    System,

    /// <summary>The caller is not root, or lacks a capability.</summary>
    NotPermitted,

    /// <summary>The request itself makes no sense (PID 0, malformed user, unknown profile).</summary>
    BadRequest,

    /// <summary>No such process or container, or it is gone.</summary>
    TargetGone,

    /// <summary>The container exists and does not run.</summary>
    TargetNotRunning,

    /// <summary>The target is the host itself, or a kernel thread.</summary>
    TargetRefused,

    /// <summary>There is no image file, or it is not an image.</summary>
    NoImage,

    /// <summary>The container is shaped so that the image cannot be attached.</summary>
    TargetHostile,

    /// <summary>A mount is busy.</summary>
    Busy,

    /// <summary>The tool exists and cannot be executed.</summary>
    ToolNotExecutable,

    /// <summary>No such tool.</summary>
    ToolNotFound,

    /// <summary>A peer (Docker, coordinator) does not answer.</summary>
    Unavailable,
}

/// <summary>A failure that is told to a person: one sentence with what was tried, on what, why it failed, what to do.</summary>
public sealed class CrashcartException(FailureReason reason, string message, Exception? inner = null)
    : Exception(message, inner)
{
    public FailureReason Reason { get; } = reason;

    /// <summary>The exit status that stands for the reason: 126, 127 or 125, as docker(1) has them.</summary>
    public int ExitCode => Reason switch
    {
        FailureReason.ToolNotExecutable => 126,
        FailureReason.ToolNotFound => 127,
        _ => 125,
    };
}
