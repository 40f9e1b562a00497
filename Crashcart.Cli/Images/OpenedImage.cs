using Crashcart.Image;
using Crashcart.Native;

namespace Crashcart.Cli.Images;

/// <summary>
/// An image whose files can be read: mounted where only this process reaches it when root asks, else taken out into a
/// directory of our own.
/// </summary>
internal sealed class OpenedImage : IDisposable
{
    private readonly IDisposable _holder;

    private OpenedImage(string root, string fileSystem, IDisposable holder) => (Root, FileSystem, _holder) = (root, fileSystem, holder);

    public string Root { get; }

    /// <summary>erofs, ext4 or squashfs.</summary>
    public string FileSystem { get; }

    /// <exception cref="CrashcartException">No file, not an image, or a damaged one.</exception>
    /// <exception cref="ImageBuildException">A program that is needed is not installed, or finds the image damaged.</exception>
    public static OpenedImage Open(string path, CancellationToken cancel)
    {
        if (Environment.IsPrivilegedProcess)
        {
            var attached = AttachedImage.Attach(path);
            return new OpenedImage(attached.Root, attached.FileSystem, attached);
        }

        var fileSystem = ImageIdentity.Read(path).FileSystem;
        var extraction = Extraction.Of(path, fileSystem, cancel);
        return new OpenedImage(extraction.Root, fileSystem, extraction);
    }

    public void Dispose() => _holder.Dispose();
}
