using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>An image whose attaching and detaching wait for the spec, unless it is told to go on by itself.</summary>
internal sealed class ScriptedImages : IImages
{
    private readonly Queue<(TaskCompletionSource<IAttachedImage> Done, string Key)> _attaching = new();
    private readonly Queue<TaskCompletionSource> _detaching = new();
    private readonly Lock _lock = new();

    public string Key { get; set; } = "image-1";

    public NodeException? NoImage { get; set; }

    public bool Immediate { get; init; }

    public int Attachments { get; private set; }

    /// <summary>How many shares of the loop device are held now.</summary>
    public int Attached { get; private set; }

    public int AttachesPending => Locked(() => _attaching.Count);

    public int DetachesPending => Locked(() => _detaching.Count);

    public Task<ImageFile> IdentifyAsync(CancellationToken cancellation) =>
        NoImage is { } reason ? Task.FromException<ImageFile>(reason) : Task.FromResult(new ImageFile("/crashcart.img", Key, 1000));

    public Task<string> DigestAsync(ImageFile file, CancellationToken cancellation) => Task.FromResult("sha256:" + file.Key);

    public Task<IAttachedImage> AttachAsync(ImageFile file, CancellationToken cancellation) => Locked(() =>
    {
        var attach = new TaskCompletionSource<IAttachedImage>();
        _attaching.Enqueue((attach, file.Key));
        if (Immediate)
            CompleteAttach();
        return attach.Task;
    });

    public void CompleteAttach() => Locked(() =>
    {
        Attachments++;
        Attached++;
        var (attach, key) = _attaching.Dequeue();
        return attach.TrySetResult(new Image(this, key));
    });

    public void FailAttach(string message) => Locked(
        () => _attaching.Dequeue().Done.TrySetException(new NodeException(NodeFailure.Failed, message)));

    public void CompleteDetach() => Locked(() =>
    {
        Attached--;
        return _detaching.Dequeue().TrySetResult();
    });

    private Task Detach() => Locked(() =>
    {
        var detach = new TaskCompletionSource();
        _detaching.Enqueue(detach);
        if (Immediate)
            CompleteDetach();
        return detach.Task;
    });

    private T Locked<T>(Func<T> action)
    {
        lock (_lock)
            return action();
    }

    private sealed class Image(ScriptedImages images, string key) : IAttachedImage
    {
        public string LoopDevice => "/dev/loop7";

        public string ImageKey => key;

        public ValueTask DisposeAsync() => new(images.Detach());
    }
}
