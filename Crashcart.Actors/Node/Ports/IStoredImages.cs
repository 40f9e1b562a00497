using Crashcart.Actors.Images;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Node.Ports;

/// <summary>The images of the fleet's that a node keeps on its disk.</summary>
public interface IStoredImages
{
    /// <summary>How many bytes the images may take together.</summary>
    long Limit { get; }

    /// <summary>
    /// The image's file, when it is there and its bytes have the digest; they are read once for each state of the file. A
    /// damaged one is removed, and the answer is null.
    /// </summary>
    /// <exception cref="NodeException">It cannot be read.</exception>
    Task<ImageFile?> FindAsync(ImageDigest digest, CancellationToken cancellation);

    /// <summary>
    /// Fetches the image from the first of its sources that gives it. What came stays for the next attempt when all fail or
    /// the fetch is cancelled.
    /// </summary>
    /// <param name="image">Its digest is one.</param>
    /// <param name="received">Is told how many bytes are there, now and then.</param>
    /// <exception cref="NodeException">No source gave the right bytes, or the disk does not take them.</exception>
    Task FetchAsync(WantedImage image, Action<long> received, CancellationToken cancellation);

    /// <summary>Everything that takes room, images that have only half arrived too.</summary>
    /// <exception cref="NodeException">The directory cannot be read.</exception>
    Task<IReadOnlyList<StoredImage>> ListAsync(CancellationToken cancellation);

    /// <summary>Removes the image and what is there of it.</summary>
    /// <returns>False when another process uses it.</returns>
    /// <exception cref="NodeException">It cannot be removed.</exception>
    Task<bool> RemoveAsync(ImageDigest digest);
}

/// <param name="Size">Bytes on the disk.</param>
/// <param name="IsWhole">All of it has arrived.</param>
/// <param name="IsKept">A coordinator on this host offers it to the fleet: it is not the node's to remove.</param>
/// <param name="LastUsed">When a session was last given it.</param>
public sealed record StoredImage(ImageDigest Digest, long Size, bool IsWhole, bool IsKept, DateTimeOffset LastUsed);
