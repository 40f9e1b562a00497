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
    public Task<(FleetImages Images, IReadOnlyList<SilentNode> Silent)> FindAsync(string reference, CancellationToken cancellation) =>
        FindAsync(reference, tryUnreachable: false, cancellation);

    /// <summary>As the other; before it says that something is not there, coordinators that are thought unreachable are asked too.</summary>
    /// <param name="reference">What is looked for; everything, when it is empty.</param>
    /// <param name="isFound">Whether what was found is enough.</param>
    public async Task<(FleetImages Images, IReadOnlyList<SilentNode> Silent)> FindAsync(
        string reference, Func<FleetImages, bool> isFound, CancellationToken cancellation)
    {
        var (images, silent) = await FindAsync(reference, cancellation);
        return silent.Count == 0 || isFound(images) ? (images, silent) : await FindAsync(reference, tryUnreachable: true, cancellation);
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

    /// <summary>Who could not be asked about what was not found, as a sentence.</summary>
    public static string Others(IReadOnlyList<SilentNode> silent) => silent.Count == 0
        ? ""
        : $" Not every coordinator could say: {string.Join("; ", silent.Select(one => $"{one.Node}: {one.Problem.TrimEnd('.')}"))}.";

    private async Task<(FleetImage? Image, string Problem)> ResolveAsync(ImageReference reference, CancellationToken cancellation)
    {
        var (images, silent) = await FindAsync(reference.ToString(), found => found.Resolve(reference, out _) is not null, cancellation);
        FleetImage? image = images.Resolve(reference, out string problem);
        // Others may have the same bytes under other names.
        if (reference is ImageReference.Named named && images.Names.Find(named.Name) is { Digest: { } digest })
            image = (await FindAsync(digest.ToString(), cancellation)).Images.Find(digest) ?? image;
        return (image, image is null ? problem + Others(silent) : "");
    }

    private async Task<(FleetImages Images, IReadOnlyList<SilentNode> Silent)> FindAsync(
        string reference, bool tryUnreachable, CancellationToken cancellation)
    {
        FleetImagesActor.Answers answers = await fleet.AskImages<FleetImagesActor.Answers>(
            new FleetImagesActor.AskCoordinators(id => new FindImages { CorrelationId = id, Reference = reference }, tryUnreachable),
            AnswerPatience,
            cancellation);
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

    private static WantedImage Wanted(FleetImage image, string name) => new()
    {
        Digest = image.Digest.ToString(),
        Name = name,
        Size = image.Size,
        Sources = { image.Sources },
    };
}
