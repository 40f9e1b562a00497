using System.Collections.Concurrent;
using System.Security.Cryptography;
using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Native;
using Crashcart.Node.Images;

namespace Crashcart.Node.Kernel;

/// <summary>The image file of this node, and the loop devices of images.</summary>
internal sealed class KernelImages(KernelCalls kernel, string path, ImageStore store) : IImages
{
    // A file in one state is read through only once, however often the actor system starts anew.
    private readonly ConcurrentDictionary<string, string> _digests = new();

    public async Task<ImageFile> IdentifyAsync(CancellationToken cancellation)
    {
        var identity = await kernel.RunAsync(() => Path.Exists(path) ? ImageIdentity.Read(path) : throw Missing(), cancellation).ConfigureAwait(false);
        return new ImageFile(path, identity.Key, identity.Size);
    }

    public async Task<string> DigestAsync(ImageFile file, CancellationToken cancellation)
    {
        if (_digests.TryGetValue(file.Key, out var known))
            return known;
        await using var stream = new FileStream(
            file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
        var digest = "sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false));
        // The file may have been replaced before it was opened; what was read is then of another.
        if (ImageIdentity.Read(path).Key != file.Key)
            throw new NodeException(NodeFailure.Failed, $"{path} was replaced while it was read.");
        return _digests[file.Key] = digest;
    }

    public async Task<IAttachedImage> AttachAsync(ImageFile file, CancellationToken cancellation) =>
        await kernel.RunAsync(() => Attach(file), cancellation).ConfigureAwait(false);

    private KernelImage Attach(ImageFile file)
    {
        // Held from before it is attached: no other process removes it from then on.
        var use = file.Stored is { } digest ? store.Use(digest) : null;
        try
        {
            return new KernelImage(kernel, AttachedImage.Attach(file.Path), use, () => file.Stored?.ToString() ?? _digests.GetValueOrDefault(file.Key, ""));
        }
        catch
        {
            use?.Dispose();
            throw;
        }
    }

    private NodeException Missing() => new(
        NodeFailure.NoImage,
        $"There is no image at '{path}' on the node: put one there, or push one for all with 'crashcart image push FILE {ImageName.Default}'.");
}

/// <param name="use">Keeps a stored image from being removed; null for the file that the node was given.</param>
/// <param name="digest">Empty while it is not known.</param>
internal sealed class KernelImage(KernelCalls kernel, AttachedImage image, IDisposable? use, Func<string> digest) : IAttachedImage
{
    public AttachedImage Image => image;

    public string LoopDevice => image.LoopDevice;

    public string ImageKey => image.ImageKey;

    public string ImageDigest => digest();

    public async ValueTask DisposeAsync() => await kernel.RunAsync(
        () =>
        {
            image.Dispose();
            use?.Dispose();
            return true;
        },
        CancellationToken.None).ConfigureAwait(false);
}
