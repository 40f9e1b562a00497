namespace Crashcart.Native;

/// <summary>Which image file it is, and in what state.</summary>
/// <param name="Key">Differs for another file, and for the same file after a change. Letters, digits and <c>:.-</c>.</param>
/// <param name="FileSystem">erofs, ext4 or squashfs, from the superblock's magic.</param>
/// <param name="Size">Bytes.</param>
public sealed record ImageIdentity(string Key, string FileSystem, long Size)
{
    /// <summary>Looks at the file and attaches nothing.</summary>
    /// <param name="path">Where it is.</param>
    /// <param name="name">How it is called when it is refused; null: by its path.</param>
    /// <exception cref="CrashcartException">No file, not readable, not an image, or shorter than its file system.</exception>
    public static ImageIdentity Read(string path, string? name = null)
    {
        using Descriptor file = ImageFile.Open(path, out FileStatus status);
        Superblock superblock = ImageFile.Identify(file, status, name ?? path);
        return new ImageIdentity(LoopTag.Of(status).Value, superblock.FileSystem, status.Size);
    }
}
