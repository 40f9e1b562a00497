namespace Crashcart.Coordinator.Hosting;

/// <summary>Signals are the coordinator's to handle, in an order of its own.</summary>
internal sealed class OwnLifetime : IHostLifetime
{
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
