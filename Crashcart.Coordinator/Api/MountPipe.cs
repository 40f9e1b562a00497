using System.Threading.Channels;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Protocol;
using Crashcart.Coordinator.Images;
using ApiMountWaits = Crashcart.Api.MountWaits;

namespace Crashcart.Coordinator.Api;

/// <summary>What the actors tell of one request for mounts, on its way to the client.</summary>
/// <param name="left">Is cancelled when the client is gone.</param>
internal sealed class MountPipe(ImageDesk images, CancellationToken left) : IMountPort
{
    private const int MostUnread = 1000;

    // What a slow client has not read is told again with newer numbers.
    private readonly Channel<ApiMountWaits> _waits = Channel.CreateBounded<ApiMountWaits>(
        new BoundedChannelOptions(MostUnread) { FullMode = BoundedChannelFullMode.DropOldest });

    public CancellationToken Left => left;

    public Task<WantedImage?> DefaultImageAsync() => images.DefaultAsync();

    public void Tell(string node, MountWaits waits) => _waits.Writer.TryWrite(
        new ApiMountWaits { Node = node, Image = waits.Image, Received = waits.Received, Size = waits.Size });

    /// <summary>All that is told until the request is answered.</summary>
    public IAsyncEnumerable<ApiMountWaits> UntilAsync(Task answered)
    {
        _ = answered.ContinueWith(_ => _waits.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        return _waits.Reader.ReadAllAsync(left);
    }
}
