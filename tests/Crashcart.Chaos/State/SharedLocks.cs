using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos.State;

/// <summary>The lock files of shared mounts, by which a mount that sessions made is told from one that a person asked for.</summary>
internal static class SharedLocks
{
    /// <summary>
    /// Ids of the mounts that a later session, or a node, will know that it has to take away. Read by cat(1): .NET locks
    /// every file that it opens, and would get in the way of those whose lock it is.
    /// </summary>
    public static async Task<IReadOnlySet<string>> SessionMounts() =>
        (await new Command("sh", "-c", "for lock in /run/crashcart/mounts-*.lock; do cat \"$lock\" 2>/dev/null && echo; done; true").Output())
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).ToHashSet();
}
