using Crashcart.Api;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>One request for mounts, as its client sees it.</summary>
internal static class TestMount
{
    /// <summary>All that the coordinator says of it.</summary>
    public static async Task<IReadOnlyList<MountEvent>> EventsAsync(TestCoordinator coordinator, MountRequest request)
    {
        using var call = coordinator.Leases.Mount(request);
        List<MountEvent> events = [];
        await foreach (var happened in call.ResponseStream.ReadAllAsync())
            events.Add(happened);
        return events;
    }
}
