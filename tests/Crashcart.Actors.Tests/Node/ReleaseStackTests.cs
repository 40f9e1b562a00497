using Crashcart.Actors.Node.Leases;

namespace Crashcart.Actors.Tests.Node;

public sealed class ReleaseStackTests
{
    private readonly ReleaseStack _stack = new();
    private readonly List<string> _released = [];

    [Fact]
    public async Task Releases_in_reverse_order_and_once()
    {
        await Own("image");
        await Own("tool");

        await _stack.ReleaseAsync();
        await _stack.ReleaseAsync();

        Assert.Equal(["tool", "image"], _released);
    }

    [Fact]
    public async Task Cancels_and_awaits_what_is_still_being_made()
    {
        var making = new TaskCompletionSource<Thing>();
        CancellationToken token = default;
        _ = _stack.Own(cancellation =>
        {
            token = cancellation;
            return making.Task;
        });

        var release = _stack.ReleaseAsync();
        Assert.True(token.IsCancellationRequested);
        Assert.False(release.IsCompleted);

        making.SetResult(new Thing(() => _released.Add("late")));
        await release;
        Assert.Equal(["late"], _released);
    }

    [Fact]
    public async Task What_could_not_be_made_needs_no_release()
    {
        var failure = _stack.Own(_ => Task.FromException<Thing>(new IOException("no")));
        await Own("tool");

        await _stack.ReleaseAsync();

        Assert.Equal(["tool"], _released);
        await Assert.ThrowsAsync<IOException>(() => failure);
    }

    [Fact]
    public async Task A_failing_release_does_not_keep_the_others()
    {
        await Own("image");
        await _stack.Own(_ => Task.FromResult(new Thing(() => throw new IOException("busy"))));

        var error = await Assert.ThrowsAsync<AggregateException>(_stack.ReleaseAsync);

        Assert.Equal("busy", Assert.Single(error.InnerExceptions).Message);
        Assert.Equal(["image"], _released);
    }

    [Fact]
    public async Task Can_be_used_again()
    {
        await Own("first");
        await _stack.ReleaseAsync();
        await Own("second");
        await _stack.ReleaseAsync();

        Assert.Equal(["first", "second"], _released);
    }

    private Task<Thing> Own(string name) => _stack.Own(_ => Task.FromResult(new Thing(() => _released.Add(name))));

    private sealed class Thing(Action release) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            release();
            return default;
        }
    }
}
