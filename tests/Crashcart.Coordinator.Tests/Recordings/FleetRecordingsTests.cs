using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Recordings;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Coordinator.Tests.Recordings;

/// <summary>A recording lies on the coordinator that had the session, and is read by way of any.</summary>
public sealed class FleetRecordingsTests
{
    [Fact]
    public async Task One_coordinator_lists_and_sends_what_another_has()
    {
        CoordinatorSettings here = TestCoordinator.Settings(), there = TestCoordinator.Settings(here.ClusterListen.ToString());
        byte[] written = await Record(there.StateDirectory);
        await using TestCoordinator first = await TestCoordinator.StartAsync(here), second = await TestCoordinator.StartAsync(there);
        using var channel = TestCoordinator.Dial(first.Socket);
        var recordings = new Crashcart.Api.Recordings.RecordingsClient(channel);

        RecordingInfo listed = await Eventually(recordings);
        using var call = recordings.ReadRecording(new ReadRecordingRequest { Id = listed.Id });
        List<RecordingPart> parts = await call.ResponseStream.ReadAllAsync().ToListAsync();

        Assert.Equal(("s1", "finished"), (parts[0].Info.Id, parts[0].Info.State));
        Assert.Equal(written, parts.Skip(1).SelectMany(part => part.Data));
    }

    private static async Task<byte[]> Record(string stateDirectory)
    {
        string directory = Path.Combine(stateDirectory, "recordings");
        var store = new RecordingStore(directory, new RecordingLimits(1 << 20, 1 << 20), TimeProvider.System, NullLogger.Instance);
        Recording recording = await store.BeginAsync(new RecordingHeader("s1", "user alice", DateTimeOffset.UtcNow, "alpha", "web", "01", "bash", new WindowCells(80, 24)));
        // More than a part holds.
        await recording.WriteAsync(RecordedStream.Output, new byte[100_000]);
        await recording.EndAsync("");
        return await File.ReadAllBytesAsync(Path.Combine(directory, "s1.cast"));
    }

    /// <summary>As soon as the coordinators know each other.</summary>
    private static async Task<RecordingInfo> Eventually(Crashcart.Api.Recordings.RecordingsClient recordings)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while (true)
        {
            if ((await recordings.ListRecordingsAsync(new ListRecordingsRequest(), cancellationToken: patience.Token)).Recordings is [var found])
                return found;
        }
    }
}
