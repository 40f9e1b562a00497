namespace Crashcart.Coordinator.Images;

/// <summary>Lets so many go on at one time; the others wait in order.</summary>
internal sealed class Turns(int atOneTime)
{
    /// <summary>So often one who waits is told that he does.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private SemaphoreSlim Free { get; } = new(atOneTime);

    /// <summary>Returns when it is the caller's turn, which lasts until the answer is disposed.</summary>
    /// <param name="waiting">Is called now and then until then; may throw, and the place in the queue is given up.</param>
    public async Task<IDisposable> TakeAsync(Func<Task> waiting, CancellationToken cancellation)
    {
        using var givenUp = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Task turn = Free.WaitAsync(givenUp.Token);
        try
        {
            while (await Task.WhenAny(turn, Task.Delay(Interval, cancellation)) != turn)
                await waiting();
            await turn;
            return new Turn(Free);
        }
        catch
        {
            await givenUp.CancelAsync();
            await turn.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            // It may have come at the last moment.
            if (turn.IsCompletedSuccessfully)
                Free.Release();
            throw;
        }
    }

    private sealed class Turn(SemaphoreSlim free) : IDisposable
    {
        public void Dispose() => free.Release();
    }
}
