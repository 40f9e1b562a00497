using Crashcart.Actors.Images;
using Crashcart.Api;
using Crashcart.Node.Images;
using Grpc.Core;

namespace Crashcart.Coordinator.Images;

/// <summary>Takes the bytes of one image from a client into the store.</summary>
/// <param name="limit">Bytes that an image may have.</param>
internal sealed class ImagePush(ImageStore store, long limit)
{
    /// <summary>A client that sends nothing for so long is taken for gone; what it sent stays for its next attempt.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    /// <summary>Images that come at one time; the others wait in order.</summary>
    private const int AtOneTime = 8;

    /// <summary>Halves of images that wait for their next attempt: of more the oldest go.</summary>
    private const int MostHalves = 16;

    private readonly Turns _turns = new(AtOneTime);

    /// <summary>Returns when the whole image is there and has been checked.</summary>
    /// <exception cref="RpcException">It is not what the client said, or the disk does not take it.</exception>
    public async Task ReceiveAsync(
        ImageDigest digest, long size, IAsyncStreamReader<PushInput> fromClient, IServerStreamWriter<PushEvent> toClient, CancellationToken cancellation)
    {
        if (size <= 0 || size > limit)
            throw Refused(StatusCode.InvalidArgument, $"An image of {size} bytes is not taken: this coordinator takes from 1 to {limit} (--image-max).");
        try
        {
            if (await store.FindAsync(digest, cancellation) is null)
                await ReceiveMissing();
            else
                await Ready(size);
        }
        catch (InvalidDataException e)
        {
            throw Refused(StatusCode.InvalidArgument, $"The image is refused: {e.Message.TrimEnd('.')}.");
        }
        catch (IOException e) when (!cancellation.IsCancellationRequested)
        {
            throw Refused(StatusCode.ResourceExhausted, $"The coordinator could not keep the image: {e.Message}");
        }

        async Task ReceiveMissing()
        {
            using IDisposable turn = await _turns.TakeAsync(Wait, cancellation);
            ImageSweep.Down(store, MostHalves);
            using ImageWriter? writer = await ImageWriter.OpenAsync(store, digest, size, async () => await Wait(), cancellation);
            await Ready(writer?.Length ?? size);
            if (writer is null)
                return;
            while (writer.Length < size)
            {
                ReadOnlyMemory<byte> data = await Next(fromClient, cancellation);
                if (data.Length > size - writer.Length)
                    throw Refused(StatusCode.InvalidArgument, $"The image is refused: more bytes came than the {size} that were announced.");
                await writer.AppendAsync(data, cancellation);
            }

            writer.Commit();
        }

        Task Wait() => toClient.WriteAsync(new PushEvent { Waits = new PushWaits() }, cancellation);

        Task Ready(long offset) => toClient.WriteAsync(new PushEvent { Ready = new PushReady { Offset = offset } }, cancellation);
    }

    private static async Task<ReadOnlyMemory<byte>> Next(IAsyncStreamReader<PushInput> fromClient, CancellationToken cancellation)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        silence.CancelAfter(Silence);
        try
        {
            return await fromClient.MoveNext(silence.Token) && fromClient.Current is { InputCase: PushInput.InputOneofCase.Data, Data.Length: > 0 }
                ? fromClient.Current.Data.Memory
                : throw Refused(StatusCode.Aborted, "The upload ended before the image did; push it again, and it goes on from there.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw Refused(StatusCode.DeadlineExceeded, $"Nothing came for {Silence.TotalSeconds:0} s; push the image again, and it goes on from there.");
        }
    }

    private static RpcException Refused(StatusCode code, string sentence) => new(new Status(code, sentence));
}
