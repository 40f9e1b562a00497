namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>Waits for a condition of the outside world, which tells nobody when it becomes true.</summary>
internal static class Eventually
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(10);

    public static readonly TimeSpan DefaultPatience = TimeSpan.FromSeconds(20);

    /// <exception cref="TimeoutException">The condition did not hold in time; the message has the last description.</exception>
    public static async Task Holds(Func<Task<bool>> condition, Func<string> description, TimeSpan? within = null)
    {
        var patience = within ?? DefaultPatience;
        var started = TimeProvider.System.GetTimestamp();
        using var timer = new PeriodicTimer(Interval);
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(started) > patience)
                throw new TimeoutException($"After {patience.TotalSeconds:0.#} s still not so: {description()}");
            await timer.WaitForNextTickAsync();
        }
    }

    public static Task Holds(Func<bool> condition, Func<string> description, TimeSpan? within = null) =>
        Holds(() => Task.FromResult(condition()), description, within);

    public static Task Holds(Func<bool> condition, string description, TimeSpan? within = null) =>
        Holds(condition, () => description, within);

    public static Task Holds(Func<Task<bool>> condition, string description, TimeSpan? within = null) =>
        Holds(condition, () => description, within);
}
