using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>Which file it is: device and inode. Two paths with the same identity are one file.</summary>
internal readonly record struct FileIdentity(uint DeviceMajor, uint DeviceMinor, ulong Inode)
{
    /// <summary>The device as loop_info64 and stat(2) have it.</summary>
    public ulong Device => (DeviceMinor & 0xff) | ((ulong)DeviceMajor << 8) | ((ulong)(DeviceMinor & ~0xffu) << 12);

    /// <summary>Of the file that the path leads to, links followed; null, with errno set, when there is none.</summary>
    public static FileIdentity? Of(string path) => FileStatus.Of(path)?.Identity;

    /// <summary>As <see cref="Of(string)"/>, below an open directory.</summary>
    public static FileIdentity? At(Descriptor directory, string name) => FileStatus.At(directory, name)?.Identity;
}

/// <summary>What statx(2) tells of a file.</summary>
internal readonly unsafe record struct FileStatus(
    FileIdentity Identity, FileType Type, long Size, long ModifiedSeconds, uint ModifiedNanoseconds, uint Owner = 0)
{
    public static FileStatus? Of(string path, bool followLinks = true) =>
        Read(AT_FDCWD, path, followLinks ? 0 : AT_SYMLINK_NOFOLLOW);

    public static FileStatus? At(Descriptor directory, string name)
    {
        using Descriptor.Borrowed borrowed = directory.Borrow();
        return Read(borrowed.Number, name, 0);
    }

    /// <exception cref="SyscallException">statx(2) failed.</exception>
    public static FileStatus Of(Descriptor file)
    {
        using Descriptor.Borrowed borrowed = file.Borrow();
        return Read(borrowed.Number, "", AT_EMPTY_PATH) ?? throw new SyscallException("statx", errno);
    }

    private static FileStatus? Read(int directory, string path, int flags)
    {
        statx result;
        fixed (byte* p = Descriptor.CString(path))
        {
            if (LibC.statx(directory, p, flags, STATX_BASIC_STATS, &result) != 0)
                return null;
        }
        var identity = new FileIdentity(result.stx_dev_major, result.stx_dev_minor, result.stx_ino);
        return new FileStatus(
            identity, (FileType)(result.stx_mode & 0xF000), (long)result.stx_size, result.stx_mtime.tv_sec,
            (uint)result.stx_mtime.tv_nsec, result.stx_uid);
    }
}

/// <summary>The type bits of st_mode, inode(7).</summary>
internal enum FileType
{
    Fifo = 0x1000,
    CharacterDevice = 0x2000,
    Directory = 0x4000,
    BlockDevice = 0x6000,
    Regular = 0x8000,
    Link = 0xA000,
    Socket = 0xC000,
}
