using Crashcart.Actors.Images;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Images;
using Google.Protobuf;
using Grpc.Core;

namespace Crashcart.Coordinator.Images;

/// <summary>Gives images to nodes that present a ticket for them.</summary>
internal sealed class ImageTransfersService(
    ImageStore store, ImageTickets tickets, Turns turns, ILogger<ImageTransfersService> log) : ImageTransfers.ImageTransfersBase
{
    private const int ChunkSize = 256 << 10;

    /// <summary>For one chunk: a node that has stopped reading holds nobody's turn longer.</summary>
    private static readonly TimeSpan ReadPatience = TimeSpan.FromSeconds(30);

    public override async Task Fetch(ImageRequest request, IServerStreamWriter<ImagePart> toNode, ServerCallContext context)
    {
        if (!ImageDigest.TryParse(request.Digest, out ImageDigest digest) || !tickets.Opens(request.Ticket, digest))
        {
            TransferLog.Refused(log, context.Peer);
            throw new RpcException(new Status(StatusCode.PermissionDenied, "The ticket is unknown, too old, or another image's."));
        }

        CancellationToken cancellation = context.CancellationToken;
        using IDisposable turn = await turns.TakeAsync(
            () => toNode.WriteAsync(new ImagePart { Waits = new TransferWaits() }, cancellation), cancellation);
        try
        {
            await Send(digest, request.Offset, toNode, cancellation);
            TransferLog.Sent(log, digest.Abbreviated, context.Peer);
        }
        catch (IOException e)
        {
            TransferLog.Failed(log, digest.Abbreviated, e.Message);
            throw new RpcException(new Status(StatusCode.Internal, $"The coordinator could not read its image {digest.Abbreviated}: {e.Message}"));
        }
    }

    private async Task Send(ImageDigest digest, long offset, IServerStreamWriter<ImagePart> toNode, CancellationToken cancellation)
    {
        // What the disk has spoilt is found out here, and not on every node.
        if (await store.FindAsync(digest, cancellation) is not { } found)
            throw new RpcException(new Status(StatusCode.NotFound, $"The coordinator has no image {digest.Abbreviated} any more."));
        await using var file = new FileStream(
            found.Path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0, useAsync: true);
        file.Position = Math.Clamp(offset, 0, file.Length);
        byte[] chunk = new byte[ChunkSize];
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        while (await file.ReadAsync(chunk, cancellation) is > 0 and var count)
        {
            patience.CancelAfter(ReadPatience);
            // A write is done when its bytes were taken, so the chunk may be used again.
            await toNode.WriteAsync(new ImagePart { Data = UnsafeByteOperations.UnsafeWrap(chunk.AsMemory(0, count)) }, patience.Token);
        }
    }
}

internal static partial class TransferLog
{
    [LoggerMessage(Level = LogLevel.Warning, Message = "Refused to give an image to {Peer}: its ticket is unknown, too old, or another image's")]
    public static partial void Refused(ILogger log, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "Gave image {Digest} to {Peer}")]
    public static partial void Sent(ILogger log, string digest, string peer);

    [LoggerMessage(Level = LogLevel.Error, Message = "Could not read image {Digest}: {Reason}")]
    public static partial void Failed(ILogger log, string digest, string reason);
}
