using Crashcart.Actors.Fleet;
using Crashcart.Actors.Images;
using Crashcart.Actors.Policies;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Policies;
using Crashcart.Coordinator.Streams;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Images;

/// <summary>The client's API on the fleet's images.</summary>
internal sealed class ImagesService(
    PolicyGate policy, ImageDesk desk, ImagePush push, IImageShelf shelf, TimeProvider time, ILogger<ImagesService> log)
    : Crashcart.Api.Images.ImagesBase
{
    public override async Task Push(IAsyncStreamReader<PushInput> fromClient, IServerStreamWriter<PushEvent> toClient, ServerCallContext context)
    {
        CancellationToken cancellation = context.CancellationToken;
        if (!await FirstMessage.ComesAsync(fromClient, cancellation) || fromClient.Current.Start is not { } start)
            throw Refused(StatusCode.InvalidArgument, "The first message of a push must say what is pushed.");
        if (!ImageName.TryParse(start.Name, out ImageName name, out string wrong))
            throw Refused(StatusCode.InvalidArgument, $"'{start.Name}' is no name for an image: {wrong}.");
        if (!ImageDigest.TryParse(start.Digest, out ImageDigest digest))
            throw Refused(StatusCode.InvalidArgument, $"'{start.Digest}' is no digest.");
        policy.Require(context, PolicyGate.Question(context, PolicyVerb.Push) with { Image = name.Value });

        await push.ReceiveAsync(digest, start.Size, fromClient, toClient, cancellation);
        var (images, silent) = await desk.FindAsync(name.Value, cancellation);
        NameRecord? before = images.Names.Find(name);
        // Who has an image for a name has the name as well: only then it is asked for the image by it.
        await Record(before?.Digest == digest
            ? before
            : new NameRecord(name, digest, images.Names.MomentFor(name, time.GetUtcNow().ToUnixTimeMilliseconds())));
        string peer = PeerCheck.Describe(context.GetHttpContext());
        ImageLog.Pushed(log, name, digest, peer);
        await toClient.WriteAsync(
            new PushEvent
            {
                Done = new PushDone
                {
                    Name = name.Value,
                    Replaced = before?.Digest is { } old && old != digest ? old.ToString() : "",
                    Unanswered = { silent.Select(ApiMapping.ToApi) },
                },
            },
            cancellation);
    }

    public override async Task<ListImagesResponse> ListImages(ListImagesRequest request, ServerCallContext context)
    {
        Task<IReadOnlyList<NodeStatus>> asked = desk.NodesAsync(context.CancellationToken);
        var (images, silent) = await desk.FindAsync("", context.CancellationToken);
        IReadOnlyList<NodeStatus> nodes = await asked;
        return new ListImagesResponse
        {
            Images = { ImageListing.Of(images, nodes).Where(image => MayKnow(context, image)) },
            Nodes = nodes.Count,
            Unanswered =
            {
                silent.Select(ApiMapping.ToApi),
                nodes.Where(node => node.Problem.Length > 0).Select(node => new Unanswered { Node = node.Name, Message = node.Problem }),
            },
        };
    }

    public override async Task<RemoveImageResponse> RemoveImage(RemoveImageRequest request, ServerCallContext context)
    {
        ImageReference reference = ImageDesk.Reference(request.Reference);
        policy.Require(context, PolicyGate.Question(context, PolicyVerb.Remove) with { Image = RunMapping.ToImage(request.Reference) });
        RemoveImageResponse removed = await new ImageRemoval(desk, time).RunAsync(reference, request.Force, context.CancellationToken);
        string peer = PeerCheck.Describe(context.GetHttpContext());
        ImageLog.Removed(log, reference, peer);
        return removed;
    }

    /// <summary>By one of its names; those others that it has are no secret then.</summary>
    private bool MayKnow(ServerCallContext context, Crashcart.Api.FleetImage image)
    {
        PolicyQuestion question = PolicyGate.Question(context, PolicyVerb.Images);
        return image.Tags.Count == 0 ? policy.Allows(question) : image.Tags.Any(tag => policy.Allows(question with { Image = tag.Name }));
    }

    private async Task Record(NameRecord record)
    {
        try
        {
            await shelf.RecordAsync(record.ToWire());
        }
        catch (IOException e)
        {
            throw Refused(StatusCode.ResourceExhausted, $"The image is there, but its name could not be kept: {e.Message}");
        }
    }

    private static RpcException Refused(StatusCode code, string sentence) => new(new Status(code, sentence));
}

internal static partial class ImageLog
{
    [LoggerMessage(Level = LogLevel.Information, Message = "Image {Name} is now {Digest}, pushed by {Peer}")]
    public static partial void Pushed(ILogger log, ImageName name, ImageDigest digest, string peer);

    [LoggerMessage(Level = LogLevel.Information, Message = "Image {Reference} was removed by {Peer}")]
    public static partial void Removed(ILogger log, ImageReference reference, string peer);
}
