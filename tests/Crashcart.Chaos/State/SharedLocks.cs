namespace Crashcart.Chaos.State;

/// <summary>The lock files of shared mounts, by which a mount that sessions made is told from one that a person asked for.</summary>
internal static class SharedLocks
{
    /// <summary>Whether a later session, or a node, will know that it has to take that mount away.</summary>
    public static bool SayThatSessionsMade(string mountId) =>
        Directory.Exists("/run/crashcart")
        && Directory.GetFiles("/run/crashcart", "mounts-*.lock").Any(file => Read(file) == mountId);

    /// <summary>Opened so that .NET does not lock it, and get in the way of those whose lock it is.</summary>
    private static string Read(string file)
    {
        try
        {
            using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using var text = new StreamReader(stream);
            return text.ReadToEnd();
        }
        catch (FileNotFoundException)
        {
            return "";
        }
    }
}
