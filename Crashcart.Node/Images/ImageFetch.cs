using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Identity;
using Crashcart.Node.Streams;
using Grpc.Core;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Images;

/// <summary>
/// Fetches images from coordinators into the store. A source that breaks off is followed by the next, which goes on where it
/// ended; one whose bytes are wrong is not asked again.
/// </summary>
internal sealed class ImageFetch(ImageStore store, MemberIdentity? identity, ILogger log) : IDisposable
{
    /// <summary>What one transfer may have under way; at 10 ms from end to end it is 400 MB/s.</summary>
    private const int StreamWindow = 4 << 20;

    /// <summary>A coordinator says at least that the node's turn has not come, every other second.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(20);

    // Apart from the sessions' connections: an image must not delay what people type.
    private readonly CoordinatorChannels _channels = new(StreamWindow, identity);

    /// <exception cref="NodeException">No source gave the right bytes.</exception>
    /// <exception cref="IOException">The disk does not take it.</exception>
    public async Task RunAsync(ImageDigest digest, WantedImage image, Action<long> received, CancellationToken cancellation)
    {
        using ImageWriter? writer = await ImageWriter.OpenAsync(
            store, digest, image.Size, () => ValueTask.CompletedTask, cancellation).ConfigureAwait(false);
        if (writer is null)
            return;
        received(writer.Length);
        var problems = new Dictionary<string, string>();
        List<ImageSource> sources = [.. image.Sources];
        // Once round is enough, unless somebody gave at least something.
        for (long before = -1; sources.Count > 0 && writer.Length != before;)
        {
            before = writer.Length;
            foreach (ImageSource source in sources.ToList())
            {
                if (await TryAsync(source).ConfigureAwait(false))
                    return;
            }
        }

        string whatHappened = problems.Count == 0
            ? "no coordinator that has it is known"
            : string.Join("; ", problems.Select(problem => $"from {problem.Key}: {problem.Value.TrimEnd('.')}"));
        throw new NodeException(
            NodeFailure.Failed, $"The image {image.Name} ({digest.Abbreviated}) could not be fetched: {whatHappened}. 'crashcart image ls' shows who has it.");

        async Task<bool> TryAsync(ImageSource source)
        {
            while (true)
            {
                long start = writer.Length;
                if (await FromAsync(source, digest, image.Size, writer, received, cancellation).ConfigureAwait(false) is { } problem)
                {
                    StoreLog.SourceFailed(log, digest.Abbreviated, source.Endpoint, problem);
                    problems[source.Endpoint] = problem;
                    return false;
                }

                try
                {
                    writer.Commit();
                    return true;
                }
                catch (InvalidDataException e)
                {
                    StoreLog.SourceFailed(log, digest.Abbreviated, source.Endpoint, e.Message);
                    problems[source.Endpoint] = e.Message;
                    // What was there before may be what is damaged: then the same source gives all of it.
                    if (start > 0)
                        continue;
                    sources.Remove(source);
                    return false;
                }
            }
        }
    }

    public void Dispose() => _channels.Dispose();

    /// <returns>Null when all bytes are there; else why not.</returns>
    private async Task<string?> FromAsync(
        ImageSource source, ImageDigest digest, long size, ImageWriter writer, Action<long> received, CancellationToken cancellation)
    {
        using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            var client = new ImageTransfers.ImageTransfersClient(_channels.To(source.Endpoint));
            var request = new ImageRequest { Ticket = source.Ticket, Digest = digest.ToString(), Offset = writer.Length };
            using AsyncServerStreamingCall<ImagePart> call = client.Fetch(request, cancellationToken: silence.Token);
            while (writer.Length < size)
            {
                silence.CancelAfter(Silence);
                if (!await call.ResponseStream.MoveNext(silence.Token).ConfigureAwait(false))
                    return $"it ended after {writer.Length} of {size} bytes";
                if (call.ResponseStream.Current is not { PartCase: ImagePart.PartOneofCase.Data, Data: var data })
                    continue;
                if (data.Length > size - writer.Length)
                    return $"it sent more than the {size} bytes that the image has";
                await writer.AppendAsync(data.Memory, cancellation).ConfigureAwait(false);
                received(writer.Length);
            }

            return null;
        }
        catch (NodeException e)
        {
            return e.Message;
        }
        catch (Exception e) when (e is RpcException or OperationCanceledException)
        {
            cancellation.ThrowIfCancellationRequested();
            return silence.IsCancellationRequested ? $"it sent nothing for {Silence.TotalSeconds:0} s" : Describe(e);
        }
    }

    private static string Describe(Exception e) => e switch
    {
        RpcException { Status.DebugException: { } cause } => cause.GetBaseException().Message,
        RpcException { Status.Detail: { Length: > 0 } detail } => detail,
        _ => e.Message,
    };
}
