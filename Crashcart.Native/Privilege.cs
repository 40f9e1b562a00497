using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>Nearly everything here is root's business; who is not root learns so in a sentence.</summary>
internal static class Privilege
{
    /// <param name="verb">What was to be done, as in "Only root can …".</param>
    /// <exception cref="CrashcartException">The effective user is not root.</exception>
    public static void Require(string verb) => Require(verb, geteuid());

    internal static void Require(string verb, uint effectiveUser)
    {
        if (effectiveUser != 0)
        {
            throw new CrashcartException(
                FailureReason.NotPermitted, $"Only root can {verb}, and this is user {effectiveUser}: run it with sudo.");
        }
    }
}
