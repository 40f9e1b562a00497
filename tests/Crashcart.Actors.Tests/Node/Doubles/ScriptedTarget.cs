using Crashcart.Actors.Node.Ports;

namespace Crashcart.Actors.Tests.Node.Doubles;

/// <summary>A process that exits when the spec says so.</summary>
internal sealed class ScriptedTarget : ITarget
{
    private readonly TaskCompletionSource _exited = new();

    public bool IsDisposed { get; private set; }

    public Task Exited => _exited.Task;

    public void Exit() => _exited.TrySetResult();

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        return default;
    }
}
