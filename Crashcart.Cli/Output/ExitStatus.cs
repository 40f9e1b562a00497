using Crashcart.Cli.Commands;

namespace Crashcart.Cli.Output;

/// <summary>Exit statuses of crashcart's own; any other is a tool's.</summary>
internal static class ExitStatus
{
    public const int Success = 0;

    /// <summary>A tool of a fleet run ended with another status than 0.</summary>
    public const int SomeToolFailed = 1;

    /// <summary>An image is not what it says or should be.</summary>
    public const int NotVerified = 1;

    /// <summary>A policy denies what was asked about.</summary>
    public const int Denied = 1;

    /// <summary>Something was left out of a copy, or changed while it was read.</summary>
    public const int NotWhole = 1;

    /// <summary>A selection matched no container.</summary>
    public const int NothingMatched = 3;

    public const int TimedOut = 124;

    /// <summary>crashcart refused or failed, or did not reach a target.</summary>
    public const int Failed = 125;

    public const int NotExecutable = 126;

    public const int NotFound = 127;

    /// <summary>As a shell tells that signal <paramref name="signal"/> ended a process.</summary>
    public static int Signalled(int signal) => 128 + signal;

    /// <summary>What SIGPIPE would have left: nobody reads standard output any more.</summary>
    public static int OutputClosed => Signalled(Signals.Pipe);
}
