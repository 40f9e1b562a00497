using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Node.Leases;

/// <summary>Which images go when another needs room: the ones that were not used for longest, and never one that is in use.</summary>
internal static class CachePolicy
{
    /// <param name="stored">What is on the disk.</param>
    /// <param name="busy">Not to be removed: in use, or being fetched.</param>
    /// <param name="promised">Bytes that fetches under way will take yet, beside what is on the disk.</param>
    /// <param name="needed">Bytes that the next fetch will take.</param>
    /// <param name="limit">Bytes that all may take.</param>
    /// <returns>What to remove; null when that would not be enough.</returns>
    public static IReadOnlyList<ImageDigest>? MakeRoom(
        IReadOnlyList<StoredImage> stored, IReadOnlySet<ImageDigest> busy, long promised, long needed, long limit)
    {
        // What a coordinator keeps for the fleet is no part of the node's cache.
        var excess = stored.Where(image => !image.IsKept).Sum(image => image.Size) + promised + needed - limit;
        List<ImageDigest> removed = [];
        foreach (var image in stored.Where(image => !image.IsKept && !busy.Contains(image.Digest)).OrderBy(image => image.LastUsed))
        {
            if (excess <= 0)
                break;
            excess -= image.Size;
            removed.Add(image.Digest);
        }

        return excess <= 0 ? removed : null;
    }
}
