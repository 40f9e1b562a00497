using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Identity;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Images;

/// <summary>The node's store, as its actors see it.</summary>
/// <param name="limit">Bytes that the images may take together.</param>
internal sealed class StoredImages(ImageStore store, long limit, MemberIdentity? identity, ILogger log) : IStoredImages, IDisposable
{
    private readonly ImageFetch _fetch = new(store, identity, log);

    public long Limit => limit;

    public Task<ImageFile?> FindAsync(ImageDigest digest, CancellationToken cancellation) =>
        BesideActors(() => store.FindAsync(digest, cancellation));

    public Task FetchAsync(WantedImage image, Action<long> received, CancellationToken cancellation) => BesideActors(async () =>
    {
        if (!ImageDigest.TryParse(image.Digest, out ImageDigest digest))
            throw new NodeException(NodeFailure.Failed, $"'{image.Digest}' is no digest.");
        await _fetch.RunAsync(digest, image, received, cancellation).ConfigureAwait(false);
        return true;
    });

    public Task<IReadOnlyList<StoredImage>> ListAsync(CancellationToken cancellation) => BesideActors(() => Task.FromResult(store.List()));

    public Task<bool> RemoveAsync(ImageDigest digest) => BesideActors(() => store.RemoveAsync(digest));

    public void Dispose() => _fetch.Dispose();

    private static async Task<T> BesideActors<T>(Func<Task<T>> work)
    {
        try
        {
            return await Task.Run(work).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new NodeException(NodeFailure.Failed, e.Message, e);
        }
    }
}
