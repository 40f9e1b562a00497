using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Images;

/// <summary>One image as the coordinators that answered have it.</summary>
/// <param name="Names">Those that lead to it.</param>
/// <param name="Sources">Where to fetch it; empty when the question was about everything.</param>
public sealed record FleetImage(
    ImageDigest Digest, long Size, IReadOnlyList<NameRecord> Names, IReadOnlyList<string> Coordinators, IReadOnlyList<ImageSource> Sources);

/// <summary>What several coordinators answered about names and images, as one picture.</summary>
public sealed class FleetImages
{
    private readonly Dictionary<ImageDigest, FleetImage> _images = [];

    public NameBook Names { get; } = new();

    public IReadOnlyCollection<FleetImage> All =>
        [.. _images.Values.Select(WithNames).OrderBy(image => image.Names.Count == 0).ThenBy(FirstName, StringComparer.Ordinal)];

    /// <summary>Adds an answer. What is malformed in it is left out.</summary>
    public void Add(string coordinator, ImagesFound answer)
    {
        foreach (NameRecord record in answer.Names.Select(NameRecord.FromWire).OfType<NameRecord>())
            Names.Add(record);
        foreach (ImageBlob blob in answer.Images)
        {
            if (!ImageDigest.TryParse(blob.Digest, out ImageDigest digest))
                continue;
            FleetImage known = _images.GetValueOrDefault(digest) ?? new FleetImage(digest, blob.Size, [], [], []);
            _images[digest] = known with
            {
                Coordinators = [.. known.Coordinators, coordinator],
                Sources = blob.Source is { } source ? [.. known.Sources, source] : known.Sources,
            };
        }
    }

    public FleetImage? Find(ImageDigest digest) => _images.GetValueOrDefault(digest) is { } image ? WithNames(image) : null;

    /// <summary>The image that the reference means.</summary>
    /// <returns>Null when there is none; then <paramref name="problem"/> is a sentence.</returns>
    public FleetImage? Resolve(ImageReference reference, out string problem)
    {
        problem = "";
        if (reference is ImageReference.Named named)
            return ResolveName(named.Name, out problem);
        var prefix = (ImageReference.Digest)reference;
        List<FleetImage> matching = [.. All.Where(image => prefix.Matches(image.Digest))];
        if (matching is [var only])
            return only;
        problem = matching.Count == 0
            ? $"No coordinator has an image {reference}: 'crashcart image ls' shows what there is, 'crashcart image push' adds one."
            : $"{reference} could be {string.Join(" or ", matching.Select(image => image.Digest.Abbreviated))}: write more of its digits.";
        return null;
    }

    private FleetImage? ResolveName(ImageName name, out string problem)
    {
        problem = "";
        if (Names.Find(name) is not { Digest: { } digest })
            problem = $"There is no image {name} in the fleet: 'crashcart image ls' shows what there is, 'crashcart image push FILE {name}' adds one.";
        else if (Find(digest) is { } image)
            return image;
        else
            problem = $"The image {name} is {digest.Abbreviated}, and no coordinator that answers has it: push it again with 'crashcart image push FILE {name}'.";
        return null;
    }

    private static string FirstName(FleetImage image) => image.Names is [var first, ..] ? first.Name.Value : image.Digest.Hex;

    private FleetImage WithNames(FleetImage image) => image with { Names = Names.Of(image.Digest) };
}
