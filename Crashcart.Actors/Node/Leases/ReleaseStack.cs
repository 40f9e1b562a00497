namespace Crashcart.Actors.Node.Leases;

/// <summary>
/// What an actor has got from outside so far: released in reverse order, each exactly once, also what was still being made.
/// Only its actor calls it.
/// </summary>
internal sealed class ReleaseStack
{
    private Stack<Func<Task>> _releases = new();
    private Lifetime _lifetime = Lifetime.Begin();

    /// <summary>Makes something and owns it from now on. The answer is what was made, or why not.</summary>
    /// <param name="make">Is cancelled when the release begins before it is done.</param>
    public Task<T> Own<T>(Func<CancellationToken, Task<T>> make) where T : IAsyncDisposable
    {
        var made = make(_lifetime.Token);
        _releases.Push(() => DisposeAsync(made));
        return made;
    }

    /// <summary>Completes when nothing is owned any more; the stack can then be used again.</summary>
    /// <exception cref="AggregateException">Some release failed; the others were done all the same.</exception>
    public async Task ReleaseAsync()
    {
        var (releases, lifetime) = (_releases, _lifetime);
        _releases = new Stack<Func<Task>>();
        _lifetime = Lifetime.Begin();

        List<Exception> failures = [];
        lifetime.End();
        foreach (var release in releases)
        {
            try
            {
                await release().ConfigureAwait(false);
            }
            catch (Exception e)
            {
                failures.Add(e);
            }
        }

        if (failures.Count > 0)
            throw new AggregateException(failures);
    }

    private static async Task DisposeAsync<T>(Task<T> made) where T : IAsyncDisposable
    {
        // What could not be made was told to whoever asked for it.
        await ((Task)made).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (made.IsCompletedSuccessfully)
            await made.Result.DisposeAsync().ConfigureAwait(false);
    }
}
