using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>What only root may do is refused before anything is tried.</summary>
internal static class Root
{
    /// <exception cref="CrashcartException">The caller is not root.</exception>
    public static void Require(string command)
    {
        if (!Environment.IsPrivilegedProcess)
            throw new CrashcartException(
                FailureReason.NotPermitted, $"'crashcart {command}' enters a container's namespaces, which needs root; run it with sudo, or go through a coordinator.");
    }
}
