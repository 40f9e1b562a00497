using Crashcart.Native;

namespace Crashcart.Node;

/// <summary>A node's name is used by one process of a host at a time: what is left under it then belongs to nobody.</summary>
internal sealed class NodeLock : IDisposable
{
    private const string Directory = "/run/crashcart";

    private const UnixFileMode PassableMode = (UnixFileMode)0b111_101_101;

    private readonly FileStream _file;

    private NodeLock(FileStream file) => _file = file;

    /// <exception cref="CrashcartException">Not root; or another process has the name.</exception>
    public static NodeLock Take(string name)
    {
        var path = Path.Combine(Directory, $"node-{name}.lock");
        try
        {
            MakeDirectory();
            while (true)
            {
                // FileShare.None is flock(2): it ends with the process, however that ends.
                var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
                if (File.Exists(path))
                    return new NodeLock(file);
                // Its last holder removed it between our opening and our locking.
                file.Dispose();
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CrashcartException(
                FailureReason.NotPermitted, $"Could not lock {path}: {e.Message} Run the node as root.", e);
        }
        catch (IOException e)
        {
            throw new CrashcartException(
                FailureReason.Busy, $"Could not lock {path}: a node named {name} runs on this host already; give this one another --name.", e);
        }
    }

    /// <summary>All may pass through, whatever the umask is: the coordinator's socket is there, too, and has a mode of its own.</summary>
    private static void MakeDirectory()
    {
        if (System.IO.Directory.Exists(Directory))
            return;
        System.IO.Directory.CreateDirectory(Directory);
        File.SetUnixFileMode(Directory, PassableMode);
    }

    public void Dispose()
    {
        File.Delete(_file.Name);
        _file.Dispose();
    }
}
