namespace Crashcart.Native;

/// <summary>The oldest kernel that has every call that is used: mount_setattr(2) came with Linux 5.12.</summary>
internal static class KernelVersion
{
    private static readonly Version Oldest = new(5, 12);

    /// <exception cref="CrashcartException">The kernel is older.</exception>
    public static void Require(Version running)
    {
        if (running < Oldest)
        {
            throw new CrashcartException(
                FailureReason.System,
                $"Crashcart needs Linux {Oldest} or newer and this host runs {running.Major}.{running.Minor}: upgrade its kernel.");
        }
    }
}
