using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>What a process makes without saying for whom, umask(2). It is the whole process's, and inherited.</summary>
public static class Umask
{
    /// <summary>From now on it is for its owner alone. Tools have a umask of their own.</summary>
    public static void KeepToOwner() => umask(0x3F /* 077 */);
}
