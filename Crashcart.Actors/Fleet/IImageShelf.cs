using Crashcart.Actors.Protocol;

namespace Crashcart.Actors.Fleet;

/// <summary>The images and names that this coordinator has. Answers lack their correlation, which is the asker's.</summary>
public interface IImageShelf
{
    /// <summary>What the reference (NAME:TAG, the beginning of a digest, or nothing for all) means here, with tickets unless it is all.</summary>
    /// <exception cref="IOException">The store cannot be read.</exception>
    Task<ImagesFound> FindAsync(string reference);

    /// <summary>Remembers the record, unless a newer one is known.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    Task<ImageNameRecorded> RecordAsync(ImageNameRecord? record);

    /// <summary>Removes an image that has no name.</summary>
    /// <exception cref="IOException">It cannot be removed.</exception>
    Task<ImageDropped> DropAsync(string digest);
}
