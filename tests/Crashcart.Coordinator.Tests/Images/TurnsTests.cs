using Crashcart.Coordinator.Images;

namespace Crashcart.Coordinator.Tests.Images;

public sealed class TurnsTests
{
    private readonly Turns _turns = new(1);

    [Fact]
    public async Task Those_who_wait_go_on_in_order()
    {
        var first = await TakeAsync();
        var (second, third) = (TakeAsync(), TakeAsync());
        Assert.False(second.IsCompleted);

        first.Dispose();
        var turn = await second;
        Assert.False(third.IsCompleted);
        turn.Dispose();

        (await third).Dispose();
    }

    [Fact]
    public async Task Who_gives_up_his_place_keeps_nobody_waiting()
    {
        using var cancel = new CancellationTokenSource();
        var first = await TakeAsync();
        var second = _turns.TakeAsync(() => Task.CompletedTask, cancel.Token);
        var third = TakeAsync();

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => second);
        first.Dispose();

        (await third).Dispose();
    }

    [Fact]
    public async Task Who_cannot_be_told_that_he_waits_gives_up_his_place()
    {
        var first = await TakeAsync();

        await Assert.ThrowsAsync<IOException>(() => _turns.TakeAsync(() => throw new IOException("gone"), CancellationToken.None));
        first.Dispose();

        (await TakeAsync()).Dispose();
    }

    private Task<IDisposable> TakeAsync() => _turns.TakeAsync(() => Task.CompletedTask, CancellationToken.None);
}
