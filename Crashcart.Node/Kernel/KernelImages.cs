using System.Collections.Concurrent;
using System.Security.Cryptography;
using Crashcart.Actors.Node.Ports;
using Crashcart.Native;

namespace Crashcart.Node.Kernel;

/// <summary>The image file of this node and its loop devices.</summary>
internal sealed class KernelImages(KernelCalls kernel, string path) : IImages
{
    // A file in one state is read through only once, however often the actor system starts anew.
    private readonly ConcurrentDictionary<string, string> _digests = new();

    public async Task<ImageFile> IdentifyAsync(CancellationToken cancellation)
    {
        var identity = await kernel.RunAsync(() => ImageIdentity.Read(path), cancellation).ConfigureAwait(false);
        return new ImageFile(path, identity.Key);
    }

    public async Task<string> DigestAsync(ImageFile file, CancellationToken cancellation)
    {
        if (_digests.TryGetValue(file.Key, out var known))
            return known;
        await using var stream = new FileStream(
            file.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
        var digest = "sha256:" + Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation).ConfigureAwait(false));
        // The file may have been replaced before it was opened; what was read is then of another.
        if (ImageIdentity.Read(path).Key == file.Key)
            _digests[file.Key] = digest;
        return digest;
    }

    public async Task<IAttachedImage> AttachAsync(ImageFile file, CancellationToken cancellation) =>
        new KernelImage(kernel, await kernel.RunAsync(() => AttachedImage.Attach(file.Path), cancellation).ConfigureAwait(false));
}

internal sealed class KernelImage(KernelCalls kernel, AttachedImage image) : IAttachedImage
{
    public AttachedImage Image => image;

    public string LoopDevice => image.LoopDevice;

    public async ValueTask DisposeAsync() => await kernel.RunAsync(
        () =>
        {
            image.Dispose();
            return true;
        },
        CancellationToken.None).ConfigureAwait(false);
}
