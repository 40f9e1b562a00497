using Crashcart.Actors.Fleet;
using Crashcart.Actors.Images;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Images;

namespace Crashcart.Coordinator.Images;

/// <summary>This coordinator's names and images on its disk, and the tickets for them.</summary>
/// <param name="endpoint">Where nodes dial this coordinator.</param>
internal sealed class ImageShelf(ImageStore store, ImageTickets tickets, Func<string> endpoint) : IImageShelf
{
    /// <summary>Images and names in one answer: some 300 bytes each, of the 1 MiB that a message may have.</summary>
    private const int MostInAnswer = 2000;

    public Task<ImagesFound> FindAsync(string reference) => Task.Run(() => Find(reference));

    public Task<ImageNameRecorded> RecordAsync(ImageNameRecord? record) => Task.Run(async () =>
    {
        if (NameRecord.FromWire(record) is not { } known)
            return new ImageNameRecorded { Problem = "The record is malformed." };
        store.Prepare();
        await store.Names.AddAsync(known, CancellationToken.None);
        return new ImageNameRecorded();
    });

    public Task<ImageDropped> DropAsync(string digest) => Task.Run(async () =>
    {
        if (!ImageDigest.TryParse(digest, out ImageDigest unwanted))
            return new ImageDropped { Problem = $"'{digest}' is no digest." };
        if (store.Names.Read().Of(unwanted) is [var name, ..])
            return new ImageDropped { Problem = $"The image has been given the name {name.Name} meanwhile." };
        return await store.RemoveAsync(unwanted) ? new ImageDropped() : new ImageDropped { Users = { "something on the coordinator's host" } };
    });

    private ImagesFound Find(string reference)
    {
        var found = new ImagesFound();
        List<NameRecord> names = [.. store.Names.Read().All];
        List<StoredImage> images = [.. store.List().Where(image => image.IsWhole)];
        if (reference.Length > 0)
        {
            ImageReference? wanted = ImageReference.TryParse(reference, out _);
            names = [.. names.Where(record => wanted is ImageReference.Named named && named.Name == record.Name)];
            images =
            [
                .. images.Where(image => wanted is ImageReference.Digest prefix
                    ? prefix.Matches(image.Digest)
                    : names.Exists(record => record.Digest == image.Digest)),
            ];
        }

        found.Names.Add(names.Take(MostInAnswer).Select(record => record.ToWire()));
        found.Images.Add(images.Take(MostInAnswer).Select(image => new ImageBlob
        {
            Digest = image.Digest.ToString(),
            Size = image.Size,
            Source = reference.Length == 0 ? null : new ImageSource { Endpoint = endpoint(), Ticket = tickets.Issue(image.Digest) },
        }));
        found.LeftOut = Math.Max(0, names.Count - MostInAnswer) + Math.Max(0, images.Count - MostInAnswer);
        return found;
    }
}
