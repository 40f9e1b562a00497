namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A test that must leave the host as it was: nothing of Crashcart's may be there after it that was not before.</summary>
public abstract class HostTest : IAsyncLifetime
{
    private HostState? _before;

    public virtual Task InitializeAsync()
    {
        _before = HostState.Read();
        return Task.CompletedTask;
    }

    public virtual Task DisposeAsync() => _before!.Returns();
}
