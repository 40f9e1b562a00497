namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>One coordinator and two played nodes, for the tests that leave them as they were.</summary>
public sealed class SmallFleet : IAsyncLifetime
{
    internal PlayedNode Alpha { get; } = new(
        "alpha",
        PlayedNode.Container("web-1", "app=web,tier=front"),
        PlayedNode.Container("db-1", "app=db"),
        PlayedNode.Container("twin", "app=twin"),
        PlayedNode.Container("twin-2", "app=twin"),
        PlayedNode.Container("still", "app=still", state: "paused"));

    internal PlayedNode Beta { get; } = new(
        "beta", PlayedNode.Container("web-2", "app=web,tier=back"), PlayedNode.Container("twin", "app=other"));

    internal TestCoordinator Coordinator { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Coordinator = await TestCoordinator.StartAsync();
        await Task.WhenAll(Alpha.JoinAsync(Coordinator.ClusterAddress), Beta.JoinAsync(Coordinator.ClusterAddress));
        await Coordinator.NodesAsync(nodes => nodes.Count(node => node.State == "up" && node.Problem.Length == 0) == 2);
    }

    public async Task DisposeAsync()
    {
        await Coordinator.DisposeAsync();
        await Alpha.DisposeAsync();
        await Beta.DisposeAsync();
    }
}

[CollectionDefinition(nameof(SmallFleet))]
public sealed class SmallFleetDefinition : ICollectionFixture<SmallFleet>;
