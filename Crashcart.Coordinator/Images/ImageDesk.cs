using Akka.Actor;
using Crashcart.Actors.Fleet;
using Crashcart.Actors.Images;
using Crashcart.Actors.Protocol;
using Crashcart.Coordinator.Hosting;
using Grpc.Core;
using Status = Grpc.Core.Status;

namespace Crashcart.Coordinator.Images;

/// <summary>The fleet's images as all coordinators together have them, for the gRPC services.</summary>
internal sealed class ImageDesk(FleetGate fleet)
{
    /// <summary>More than a member's patience, so that its silence is told as such.</summary>
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(8);

    /// <summary>What the reference leads to; everything, when it is empty.</summary>
    public async Task<(FleetImages Images, IReadOnlyList<SilentNode> Silent)> FindAsync(string reference, CancellationToken cancellation)
    {
        FleetImagesActor.Answers answers = await AskCoordinators(
            id => new FindImages { CorrelationId = id, Reference = reference }, cancellation);
        var images = new FleetImages();
        List<SilentNode> silent = [.. answers.Silent];
        foreach (var (address, answer) in answers.All)
        {
            var found = (ImagesFound)answer;
            string coordinator = FleetImagesActor.NameOf(address);
            images.Add(coordinator, found);
            if (found.Problem.Length > 0)
                silent.Add(new SilentNode(coordinator, found.Problem));
            if (found.LeftOut > 0)
                silent.Add(new SilentNode(coordinator, $"It has {found.LeftOut} more names and images than fit into its answer."));
        }

        return (images, silent);
    }

    /// <summary>The image that a client wants for its tools.</summary>
    /// <param name="text">NAME[:TAG], or sha256: and the first digits of a digest; empty when the client names none.</param>
    /// <returns>Null when it names none.</returns>
    /// <exception cref="RpcException">There is none, or the text makes no sense.</exception>
    public async Task<WantedImage?> ResolveAsync(string text, CancellationToken cancellation)
    {
        if (text.Length == 0)
            return null;
        ImageReference reference = Reference(text);
        var (image, problem) = await ResolveAsync(reference, cancellation);
        return image is null ? throw new RpcException(new Status(StatusCode.NotFound, problem)) : Wanted(image, reference.ToString());
    }

    /// <summary>The image for nodes that were given none; null when there is none.</summary>
    public async Task<WantedImage?> DefaultAsync()
    {
        var reference = new ImageReference.Named(ImageName.Default);
        if (await ResolveAsync(reference, CancellationToken.None) is not { Image: { } image })
            return null;
        WantedImage wanted = Wanted(image, reference.ToString());
        wanted.OnlyWithoutOwn = true;
        return wanted;
    }

    /// <exception cref="RpcException">The text makes no sense.</exception>
    public static ImageReference Reference(string text) =>
        ImageReference.TryParse(text, out string problem) ?? throw new RpcException(new Status(StatusCode.InvalidArgument, problem));

    public Task<FleetImagesActor.Answers> AskCoordinators(Func<string, IQuestion> question, CancellationToken cancellation) =>
        fleet.AskImages<FleetImagesActor.Answers>(new FleetImagesActor.AskCoordinators(question), AnswerPatience, cancellation);

    public Task<FleetImagesActor.Answers> AskNodes(IReadOnlyList<Address> nodes, Func<string, IQuestion> question, CancellationToken cancellation) =>
        fleet.AskImages<FleetImagesActor.Answers>(new FleetImagesActor.AskNodes(nodes, question), AnswerPatience, cancellation);

    public async Task<IReadOnlyList<NodeStatus>> NodesAsync(CancellationToken cancellation) =>
        (await fleet.AskFleet<FleetQuery.Nodes>(new FleetQuery.ListNodes(), AnswerPatience, cancellation)).All;

    private async Task<(FleetImage? Image, string Problem)> ResolveAsync(ImageReference reference, CancellationToken cancellation)
    {
        var (images, silent) = await FindAsync(reference.ToString(), cancellation);
        FleetImage? image = images.Resolve(reference, out string problem);
        // Others may have the same bytes under other names.
        if (reference is ImageReference.Named named && images.Names.Find(named.Name) is { Digest: { } digest })
            image = (await FindAsync(digest.ToString(), cancellation)).Images.Find(digest) ?? image;
        return (image, image is null ? problem + Others(silent) : "");
    }

    private static WantedImage Wanted(FleetImage image, string name) => new()
    {
        Digest = image.Digest.ToString(),
        Name = name,
        Size = image.Size,
        Sources = { image.Sources },
    };

    private static string Others(IReadOnlyList<SilentNode> silent) => silent.Count == 0
        ? ""
        : $" Not every coordinator could say: {string.Join("; ", silent.Select(one => $"{one.Node}: {one.Problem.TrimEnd('.')}"))}.";
}
