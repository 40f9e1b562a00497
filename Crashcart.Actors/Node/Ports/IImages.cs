using Crashcart.Actors.Images;

namespace Crashcart.Actors.Node.Ports;

/// <summary>The image file that the node was given, and what the kernel makes of image files.</summary>
public interface IImages
{
    /// <summary>The image file as it is now.</summary>
    /// <exception cref="NodeException">There is none (<see cref="NodeFailure.NoImage"/>), or it is unreadable.</exception>
    Task<ImageFile> IdentifyAsync(CancellationToken cancellation);

    /// <summary>The sha256 digest of the file's contents: <c>sha256:</c> and 64 hex digits.</summary>
    Task<string> DigestAsync(ImageFile file, CancellationToken cancellation);

    /// <summary>Attaches a loop device and builds the detached mount. When cancelled, nothing stays attached.</summary>
    /// <exception cref="NodeException">Not an image, or the kernel refused.</exception>
    Task<IAttachedImage> AttachAsync(ImageFile file, CancellationToken cancellation);
}

/// <param name="Path">Where the file is.</param>
/// <param name="Key">Differs when the path leads to another file or to other contents; letters, digits and <c>:.-</c>.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Stored">The digest of an image of the fleet's; null for the file that the node was given.</param>
public sealed record ImageFile(string Path, string Key, long Size = 0, ImageDigest? Stored = null);

/// <summary>One share of an attached image; disposing it gives the share back.</summary>
public interface IAttachedImage : IAsyncDisposable
{
    /// <summary><c>/dev/loopN</c></summary>
    string LoopDevice { get; }

    /// <summary>As <see cref="ImageFile.Key"/>, of the file that is attached.</summary>
    string ImageKey { get; }
}
