namespace Crashcart.Image;

/// <summary>An image's files, taken out into a directory of our own without mounting it, for those who may not mount.</summary>
public sealed class Extraction : IDisposable
{
    private readonly DirectoryInfo _scratch;

    private Extraction(DirectoryInfo scratch) => _scratch = scratch;

    public string Root => Path.Combine(_scratch.FullName, "image");

    /// <param name="image">The image file.</param>
    /// <param name="fileSystem">The kernel's name of what it holds.</param>
    /// <param name="cancel">Ends it, and leaves nothing.</param>
    /// <exception cref="ImageBuildException">The program for it is not installed, or finds the image damaged.</exception>
    public static Extraction Of(string image, string fileSystem, CancellationToken cancel)
    {
        var extraction = new Extraction(Directory.CreateTempSubdirectory("crashcart-extract-"));
        try
        {
            extraction.Run(Path.GetFullPath(image), fileSystem, cancel);
            return extraction;
        }
        catch
        {
            extraction.Dispose();
            throw;
        }
    }

    public void Dispose() => _scratch.Delete(recursive: true);

    private void Run(string image, string fileSystem, CancellationToken cancel)
    {
        switch (fileSystem)
        {
            case Erofs.Name:
                HostProgram.Find("fsck.erofs", "erofs-utils").Run([$"--extract={Root}", image], cancel: cancel);
                break;
            case Squashfs.Name:
                HostProgram.Find("unsquashfs", "squashfs-tools").Run(["-no-progress", "-no-xattrs", "-dest", Root, image], cancel: cancel);
                break;
            default:
                Directory.CreateDirectory(Root);
                HostProgram.Find("debugfs", "e2fsprogs").Run(["-R", $"rdump / \"{Root}\"", image], cancel: cancel);
                break;
        }
    }
}
