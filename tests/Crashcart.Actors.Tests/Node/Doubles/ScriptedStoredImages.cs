using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>A node's store of images whose fetches wait for the spec.</summary>
internal sealed class ScriptedStoredImages : IStoredImages
{
    private readonly Dictionary<ImageDigest, StoredImage> _stored = [];
    private readonly Queue<(WantedImage Image, Action<long> Received, TaskCompletionSource Done)> _fetches = new();
    private readonly Lock _lock = new();

    public long Limit { get; set; } = 1000;

    public int Fetches { get; private set; }

    public int FetchesPending => Locked(() => _fetches.Count(fetch => !fetch.Done.Task.IsCompleted));

    public IReadOnlyCollection<ImageDigest> Digests => Locked(() => _stored.Keys.ToList());

    public static ImageDigest Digest(char digit) =>
        ImageDigest.TryParse("sha256:" + new string(digit, 64), out var digest) ? digest : throw new ArgumentException("No hex digit.", nameof(digit));

    public static WantedImage Wanted(char digit, long size = 400) => new()
    {
        Digest = Digest(digit).ToString(),
        Name = $"tools:{digit}",
        Size = size,
        Sources = { new ImageSource { Endpoint = "http://127.0.0.1:1" } },
    };

    public void Put(char digit, long size = 400, int lastUsed = 0, bool isKept = false) => Locked(() => _stored[Digest(digit)] =
        new StoredImage(Digest(digit), size, true, isKept, DateTimeOffset.UnixEpoch.AddSeconds(lastUsed)));

    public Task<ImageFile?> FindAsync(ImageDigest digest, CancellationToken cancellation) => Locked(() => Task.FromResult(
        _stored.TryGetValue(digest, out var image) ? new ImageFile($"/images/{digest.Hex}", $"key-{digest.Hex[..4]}", image.Size, digest) : null));

    public Task FetchAsync(WantedImage image, Action<long> received, CancellationToken cancellation) => Locked(() =>
    {
        Fetches++;
        var done = new TaskCompletionSource();
        cancellation.Register(() => done.TrySetCanceled(cancellation));
        _fetches.Enqueue((image, received, done));
        return done.Task;
    });

    public void Receive(long bytes) => Locked(() =>
    {
        _fetches.Peek().Received(bytes);
        return true;
    });

    public void CompleteFetch() => Locked(() =>
    {
        var (image, _, done) = _fetches.Dequeue();
        Assert.True(ImageDigest.TryParse(image.Digest, out var digest));
        _stored[digest] = new StoredImage(digest, image.Size, true, false, DateTimeOffset.UnixEpoch.AddDays(1));
        return done.TrySetResult();
    });

    /// <summary>Fetches that were stopped count no more.</summary>
    public void Forget() => Locked(() =>
    {
        while (_fetches.TryPeek(out var fetch) && fetch.Done.Task.IsCanceled)
            _fetches.Dequeue();
        return true;
    });

    public void FailFetch(string message) => Locked(
        () => _fetches.Dequeue().Done.TrySetException(new NodeException(NodeFailure.Failed, message)));

    public Task<IReadOnlyList<StoredImage>> ListAsync(CancellationToken cancellation) =>
        Locked(() => Task.FromResult<IReadOnlyList<StoredImage>>([.. _stored.Values]));

    /// <summary>Another process on the host uses them all.</summary>
    public bool AreUsedElsewhere { get; set; }

    public Task<bool> RemoveAsync(ImageDigest digest) => Locked(() =>
    {
        if (!AreUsedElsewhere)
            _stored.Remove(digest);
        return Task.FromResult(!AreUsedElsewhere);
    });

    private T Locked<T>(Func<T> action)
    {
        lock (_lock)
            return action();
    }
}
