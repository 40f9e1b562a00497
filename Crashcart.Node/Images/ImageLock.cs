using Crashcart.Native;

namespace Crashcart.Node.Images;

/// <summary>One image's lock among the processes of this host, flock(2): it ends with its process, however that ends.</summary>
internal sealed class ImageLock : IDisposable
{
    // errno(3) EWOULDBLOCK
    private const int WouldBlock = 11;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly FileStream _file;

    private ImageLock(FileStream file) => _file = file;

    /// <summary>For who makes or removes the image; null when anybody else has a part in it.</summary>
    public static ImageLock? TryTake(string path) => TryOpen(path, FileShare.None);

    /// <summary>For who uses the image; null when somebody makes or removes it.</summary>
    public static ImageLock? TryShare(string path) => TryOpen(path, FileShare.Read);

    /// <summary>Only while it is held alone.</summary>
    public void RemoveFile() => File.Delete(_file.Name);

    public void Dispose() => _file.Dispose();

    private static ImageLock? TryOpen(string path, FileShare share)
    {
        while (true)
        {
            FileStream file;
            try
            {
                // FileShare.None is an exclusive lock, any other a shared one.
                file = new FileStream(path, new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = share == FileShare.None ? FileAccess.ReadWrite : FileAccess.Read,
                    Share = share,
                    UnixCreateMode = Mode,
                    BufferSize = 0,
                });
            }
            catch (IOException e) when (e.HResult == WouldBlock)
            {
                return null;
            }

            // Its last holder removed it between our opening and our locking.
            if (KeptFile.IsAt(file.SafeFileHandle, path))
                return new ImageLock(file);
            file.Dispose();
        }
    }
}
