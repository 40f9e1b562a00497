namespace Crashcart.Image;

/// <summary>A file that one process holds at a time; a killed process's hold ends with it, see flock(2).</summary>
internal sealed class FileLock : IDisposable
{
    private const int WouldBlock = 11;

    private readonly FileStream _file;

    private FileLock(FileStream file) => _file = file;

    public FileStream Content => _file;

    /// <returns>Null when another process holds it.</returns>
    public static FileLock? TryTake(string path, FileMode mode = FileMode.OpenOrCreate)
    {
        try
        {
            // .NET takes the lock for FileShare.None, and says that it is held by an IOException of this errno.
            return new FileLock(new FileStream(path, mode, FileAccess.ReadWrite, FileShare.None));
        }
        catch (IOException e) when (e.HResult == WouldBlock)
        {
            return null;
        }
    }

    public void Dispose() => _file.Dispose();
}
