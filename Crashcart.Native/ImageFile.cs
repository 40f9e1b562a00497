using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>Opens what somebody named as an image, and says in a sentence why it cannot be one.</summary>
internal static class ImageFile
{
    /// <exception cref="CrashcartException">There is no readable regular file at the path.</exception>
    public static Descriptor Open(string path, out FileStatus status)
    {
        if (path.Length == 0 || path.Contains('\0'))
            throw Refuse(path, "is no path", "name the image's file");
        // Looked at before it is opened: opening a FIFO waits, and opening a device may do something.
        FileStatus found = FileStatus.Of(path) ?? throw Missing(path, errno);
        RequireRegular(found, path);
        Descriptor file = Descriptor.TryOpen(path, O_RDONLY | O_NONBLOCK) ?? throw Missing(path, errno);
        try
        {
            status = FileStatus.Of(file);
            RequireRegular(status, path);
            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <exception cref="CrashcartException">The file is no erofs, ext4 or squashfs image, or only the beginning of one.</exception>
    public static Superblock Identify(Descriptor file, FileStatus status, string path)
    {
        if (status.Size == 0)
            throw Refuse(path, "is empty", "build it again with 'crashcart image build'");
        Superblock found = Superblock.Identify(file)
            ?? throw Refuse(path, "holds no erofs, ext4 or squashfs file system", "name a file that 'crashcart image build' made");
        return found.Size <= (ulong)status.Size
            ? found
            : throw Refuse(path, $"is cut off: its {found.FileSystem} says that it has {found.Size} bytes, and the file has {status.Size}", "copy it again");
    }

    private static void RequireRegular(FileStatus status, string path)
    {
        if (status.Type == FileType.Directory)
            throw Refuse(path, "is a directory", "name the image's file");
        if (status.Type != FileType.Regular)
            throw Refuse(path, $"is not a regular file but a {Name(status.Type)}", "name the image's file");
    }

    private static CrashcartException Missing(string path, int error)
    {
        if (error == ENOENT || error == ENOTDIR)
        {
            string where = new FileInfo(path).LinkTarget is { } target
                ? $"The image '{path}' is a link to '{target}', and there is no file"
                : $"There is no image at '{path}'";
            return new CrashcartException(
                FailureReason.NoImage, $"{where}: build one with 'crashcart image build', or name one with --image.");
        }
        FailureReason reason = error == EACCES ? FailureReason.NotPermitted : FailureReason.NoImage;
        return new CrashcartException(
            reason, $"The image '{path}' cannot be opened ({SyscallException.Describe(error)}): run as root, or name another with --image.");
    }

    private static CrashcartException Refuse(string path, string why, string remedy) =>
        new(FailureReason.NoImage, $"The image '{path}' {why}: {remedy}.");

    private static string Name(FileType type) => type switch
    {
        FileType.Fifo => "FIFO",
        FileType.Socket => "socket",
        FileType.BlockDevice => "block device",
        FileType.CharacterDevice => "character device",
        _ => "special file",
    };
}
