using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>Mounts at once, and counts.</summary>
internal sealed class ScriptedMounts : ISharedMounts
{
    private int _mounts;
    private int _mounted;

    public NodeException? Refusal { get; set; }

    public int Mounts => _mounts;

    public int Mounted => Volatile.Read(ref _mounted);

    public Task<IAsyncDisposable> MountAsync(ITarget target, IAttachedImage image, CancellationToken cancellation)
    {
        if (Refusal is { } reason)
            return Task.FromException<IAsyncDisposable>(reason);
        Interlocked.Increment(ref _mounts);
        Interlocked.Increment(ref _mounted);
        return Task.FromResult<IAsyncDisposable>(new Mount(this));
    }

    private sealed class Mount(ScriptedMounts mounts) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            Interlocked.Decrement(ref mounts._mounted);
            return default;
        }
    }
}
