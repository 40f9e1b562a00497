namespace Crashcart.Node.Tests.Host;

/// <summary>Waits for what other processes and the kernel bring about.</summary>
internal static class Eventually
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static Task TrueAsync(Func<bool> condition, string what, TimeSpan? within = null) =>
        TrueAsync(() => Task.FromResult(condition()), what, within);

    public static async Task TrueAsync(Func<Task<bool>> condition, string what, TimeSpan? within = null)
    {
        using var tick = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        var deadline = DateTime.UtcNow + (within ?? Patience);
        while (!await condition())
        {
            Assert.True(DateTime.UtcNow < deadline, what);
            await tick.WaitForNextTickAsync();
        }
    }
}
