using Microsoft.Win32.SafeHandles;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>What it takes to keep files safely, beside what .NET offers.</summary>
public static class KeptFile
{
    /// <summary>Makes what was created, renamed or removed in the directory outlast a loss of power, fsync(2).</summary>
    /// <exception cref="SyscallException">The directory cannot be opened or written.</exception>
    public static void SyncDirectory(string path)
    {
        using Descriptor directory = Descriptor.Open(path, O_RDONLY | O_DIRECTORY);
        if (fsync(directory.Number) != 0)
            throw new SyscallException("fsync", errno, path);
    }

    /// <summary>Whether there is a directory of this process's user, or a link of this user's to one.</summary>
    public static bool IsOwnDirectory(string path) =>
        FileStatus.Of(path, followLinks: false)?.Owner == geteuid()
        && FileStatus.Of(path) is { Type: FileType.Directory } directory && directory.Owner == geteuid();

    /// <summary>Whether the path leads to the open file: it may have been removed or replaced since it was opened.</summary>
    public static bool IsAt(SafeFileHandle file, string path)
    {
        using var borrowed = new Descriptor(Duplicate(file));
        return FileIdentity.Of(path) is { } there && there == FileStatus.Of(borrowed).Identity;
    }

    private static int Duplicate(SafeFileHandle file)
    {
        bool added = false;
        file.DangerousAddRef(ref added);
        try
        {
            int number = fcntl((int)file.DangerousGetHandle(), F_DUPFD_CLOEXEC, 3);
            return number >= 0 ? number : throw new SyscallException("fcntl", errno, "F_DUPFD_CLOEXEC");
        }
        finally
        {
            file.DangerousRelease();
        }
    }
}
