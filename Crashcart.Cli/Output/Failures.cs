using Crashcart.Native;

namespace Crashcart.Cli.Output;

/// <summary>The one place where a failure becomes a sentence and an exit status.</summary>
internal static class Failures
{
    // errno(3)
    private const int PermissionDenied = 13;
    private const int NotPermitted = 1;
    private const int BrokenPipe = 32;

    /// <summary>Tells the person on standard error, unless it is only that nobody reads our output any more.</summary>
    public static int Report(Exception failure)
    {
        if (IsOutputClosed(failure))
            return ExitStatus.OutputClosed;
        StandardText.Complain(SafeText.Of(Sentence(failure)));
        return failure is CrashcartException known ? known.ExitCode : ExitStatus.Failed;
    }

    /// <summary>Whether the failure is that the reader of standard output has gone, as <c>head</c> does.</summary>
    public static bool IsOutputClosed(Exception failure) => failure is SyscallException { Call: "write", Errno: BrokenPipe };

    private static string Sentence(Exception failure) => failure switch
    {
        CrashcartException => failure.Message,
        SyscallException { Errno: NotPermitted or PermissionDenied } when !Environment.IsPrivilegedProcess =>
            $"{failure.Message.TrimEnd('.')}; run it as root, for instance with sudo.",
        SyscallException or IOException or UnauthorizedAccessException => failure.Message,
        _ => $"This should not have happened, and is a defect of crashcart: {failure.Message}",
    };
}
