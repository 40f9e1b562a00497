using Crashcart.Actors.Fleet;
using Crashcart.Actors.Images;
using Crashcart.Api;
using FleetImage = Crashcart.Actors.Images.FleetImage;

namespace Crashcart.Coordinator.Images;

/// <summary>What coordinators and nodes have, as one list.</summary>
internal static class ImageListing
{
    /// <summary>Named ones first, then those that only lie about.</summary>
    public static IEnumerable<Crashcart.Api.FleetImage> Of(FleetImages images, IReadOnlyList<NodeStatus> nodes)
    {
        ILookup<string, (string Node, long Size)> held = nodes
            .SelectMany(node => (node.Description?.Images ?? []).Where(image => image.Digest.Length > 0).Select(image => (image.Digest, Value: (node.Name, image.Size))))
            .DistinctBy(entry => (entry.Digest, entry.Value.Name))
            .ToLookup(entry => entry.Digest, entry => entry.Value);
        HashSet<string> listed = [];
        foreach (FleetImage image in images.All)
        {
            listed.Add(image.Digest.ToString());
            yield return new Crashcart.Api.FleetImage
            {
                Digest = image.Digest.ToString(),
                Tags = { image.Names.Select(ToApi) },
                Size = image.Size,
                Coordinators = { image.Coordinators.Order(StringComparer.Ordinal) },
                Nodes = { Names(held[image.Digest.ToString()]) },
            };
        }

        // A name may lead to what no coordinator has that answers: its host is down, or lost it.
        foreach (var image in held.Where(image => !listed.Contains(image.Key)).OrderBy(image => image.Key, StringComparer.Ordinal))
        {
            yield return new Crashcart.Api.FleetImage
            {
                Digest = image.Key,
                Tags = { ImageDigest.TryParse(image.Key, out ImageDigest digest) ? images.Names.Of(digest).Select(ToApi) : [] },
                Size = image.First().Size,
                Nodes = { Names(image) },
            };
        }

        foreach (NameRecord lost in images.Names.Living.Where(record => images.Find(record.Digest!.Value) is null && !held.Contains(record.Digest.Value.ToString())))
            yield return new Crashcart.Api.FleetImage { Digest = lost.Digest!.Value.ToString(), Tags = { ToApi(lost) } };
    }

    private static ImageTag ToApi(NameRecord record) => new() { Name = record.Name.Value, PushedUnixMs = record.UnixMs };

    private static IEnumerable<string> Names(IEnumerable<(string Node, long Size)> held) => held.Select(one => one.Node).Order(StringComparer.Ordinal);
}
