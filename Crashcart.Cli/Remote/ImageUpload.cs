using Crashcart.Api;
using Crashcart.Native;
using Google.Protobuf;
using Grpc.Core;

namespace Crashcart.Cli.Remote;

/// <summary>Sends one image to a coordinator, from the byte on that it asks for.</summary>
/// <param name="progress">Is told how many bytes the coordinator has, now and then.</param>
/// <param name="waiting">Is called now and then while somebody else pushes the same image.</param>
internal sealed class ImageUpload(CoordinatorClient client, Action<long> progress, Action waiting)
{
    private const int Chunk = 256 * 1024;

    /// <returns>The coordinator's last word, and whether anything had to be sent.</returns>
    /// <exception cref="CrashcartException">It cannot be reached, or refuses.</exception>
    public async Task<(PushDone Done, bool Sent)> RunAsync(Stream image, PushStart start)
    {
        using var call = client.Images.Push();
        try
        {
            await WriteAsync(call, new PushInput { Start = start });
            var ready = await NextAsync(call);
            while (ready.EventCase == PushEvent.EventOneofCase.Waits)
            {
                waiting();
                ready = await NextAsync(call);
            }

            var offset = ready.Ready?.Offset ?? throw Unexpected();
            await SendAsync(call, image, offset);
            await call.RequestStream.CompleteAsync();
            var done = await NextAsync(call);
            return (done.Done ?? throw Unexpected(), offset < start.Size);
        }
        catch (RpcException e)
        {
            throw client.Explain(e);
        }
    }

    private async Task SendAsync(AsyncDuplexStreamingCall<PushInput, PushEvent> call, Stream image, long offset)
    {
        image.Position = offset;
        progress(offset);
        var buffer = new byte[Chunk];
        while (await image.ReadAsync(buffer) is > 0 and var count)
        {
            // Sent before it returns, so the buffer is free again.
            await WriteAsync(call, new PushInput { Data = UnsafeByteOperations.UnsafeWrap(buffer.AsMemory(0, count)) });
            progress(image.Position);
        }
    }

    private static async Task WriteAsync(AsyncDuplexStreamingCall<PushInput, PushEvent> call, PushInput input)
    {
        try
        {
            await call.RequestStream.WriteAsync(input);
        }
        catch (Exception e) when (e is RpcException or InvalidOperationException or IOException)
        {
            // The call ended while we were sending: its answer says why.
            throw await RefusalAsync(call);
        }
    }

    private static async Task<PushEvent> NextAsync(AsyncDuplexStreamingCall<PushInput, PushEvent> call) =>
        await call.ResponseStream.MoveNext(CancellationToken.None) ? call.ResponseStream.Current : throw Unexpected();

    private static async Task<RpcException> RefusalAsync(AsyncDuplexStreamingCall<PushInput, PushEvent> call)
    {
        try
        {
            while (await call.ResponseStream.MoveNext(CancellationToken.None))
                continue;
            return new RpcException(call.GetStatus());
        }
        catch (RpcException e)
        {
            return e;
        }
    }

    private static CrashcartException Unexpected() =>
        new(FailureReason.Unavailable, "The coordinator's answer to the push makes no sense; it is of another version.");
}
