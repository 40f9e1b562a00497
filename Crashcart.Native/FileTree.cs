using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Crashcart.Native.Syscalls.Calls;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// Files below one directory, under names that somebody else chose. No path leads out of it: not by <c>..</c>, not from the root, not
/// through a link, whoever puts one there and whenever (openat2(2)). Links are files of their own here, and never followed.
/// </summary>
public sealed unsafe class FileTree : IDisposable
{
    private const ushort OwnerOnlyFile = 0x180; // 0600
    private const ushort OwnerOnlyDirectory = 0x1C0; // 0700

    private readonly Descriptor _root;

    private FileTree(Descriptor root) => _root = root;

    /// <summary>Below a directory of the caller's own choice: here links are followed.</summary>
    /// <exception cref="SyscallException">There is no such directory.</exception>
    public static FileTree Open(string path) => new(Descriptor.Open(path, O_PATH | O_DIRECTORY));

    /// <summary>Below a directory of this tree.</summary>
    /// <exception cref="SyscallException">openat2(2): ELOOP for a link, EXDEV for a path that leads out.</exception>
    public FileTree OpenDirectory(ReadOnlySpan<byte> path) => new(OpenBeneath(path, O_PATH | O_DIRECTORY));

    /// <summary>A new file for its owner alone, open for writing.</summary>
    /// <exception cref="SyscallException">EEXIST: the name is taken, were it by a link.</exception>
    public SafeFileHandle CreateFile(ReadOnlySpan<byte> path)
    {
        using Place place = Resolve(path);
        fixed (byte* name = place.Name)
        {
            int file = openat(place.Directory.Number, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, OwnerOnlyFile);
            return file >= 0 ? new SafeFileHandle(file, ownsHandle: true) : throw Failure("open", path);
        }
    }

    /// <summary>A file, for reading.</summary>
    public SafeFileHandle OpenFile(ReadOnlySpan<byte> path)
    {
        // A FIFO that has taken the file's place is not waited for.
        using Descriptor file = OpenBeneath(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        int number = fcntl(file.Number, F_DUPFD_CLOEXEC, 3);
        return number >= 0 ? new SafeFileHandle(number, ownsHandle: true) : throw Failure("fcntl", path);
    }

    /// <summary>A new directory for its owner alone.</summary>
    public void MakeDirectory(ReadOnlySpan<byte> path)
    {
        using Place place = Resolve(path);
        fixed (byte* name = place.Name)
            Require(mkdirat(place.Directory.Number, name, OwnerOnlyDirectory), "mkdir", path);
    }

    /// <summary>A symbolic link. What it says is its contents, and may lead anywhere.</summary>
    public void MakeLink(ReadOnlySpan<byte> path, ReadOnlySpan<byte> says)
    {
        using Place place = Resolve(path);
        fixed (byte* name = place.Name, contents = CString(says))
            Require(symlinkat(contents, place.Directory.Number, name), "symlink", path);
    }

    /// <summary>Another name for a file of this tree.</summary>
    public void MakeHardLink(ReadOnlySpan<byte> path, ReadOnlySpan<byte> existing)
    {
        using Place from = Resolve(existing), to = Resolve(path);
        fixed (byte* name = from.Name, newName = to.Name)
            Require(linkat(from.Directory.Number, name, to.Directory.Number, newName, 0), "link", path);
    }

    /// <summary>Gives the file, the link, or the directory to somebody; set-ID bits go.</summary>
    public void SetOwner(ReadOnlySpan<byte> path, uint owner, uint group)
    {
        using Place place = Resolve(path);
        fixed (byte* name = place.Name)
            Require(fchownat(place.Directory.Number, name, owner, group, AT_SYMLINK_NOFOLLOW), "chown", path);
    }

    /// <summary>Of a file or a directory.</summary>
    public void SetMode(ReadOnlySpan<byte> path, int mode)
    {
        using Descriptor file = OpenBeneath(path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
        Require(fchmod(file.Number, (ushort)mode), "chmod", path);
    }

    /// <summary>Of the file, the link, or the directory.</summary>
    public void SetModified(ReadOnlySpan<byte> path, FileTime time)
    {
        using Place place = Resolve(path);
        timespec* times = stackalloc timespec[2];
        times[0] = times[1] = new timespec { tv_sec = time.Seconds, tv_nsec = (int)time.Nanoseconds };
        fixed (byte* name = place.Name)
            Require(utimensat(place.Directory.Number, name, times, AT_SYMLINK_NOFOLLOW), "utimensat", path);
    }

    /// <summary>Moves a name to another tree of the same file system; what is no directory takes the place of what had the name.</summary>
    public void Rename(ReadOnlySpan<byte> path, FileTree to, ReadOnlySpan<byte> newPath)
    {
        using Place from = Resolve(path), there = to.Resolve(newPath);
        fixed (byte* name = from.Name, newName = there.Name)
            Require(renameat(from.Directory.Number, name, there.Directory.Number, newName), "rename", newPath);
    }

    /// <summary>Removes the file, the link, or the directory with all that is in it.</summary>
    public void Remove(ReadOnlySpan<byte> path)
    {
        bool isDirectory = Find(path) is { Kind: TreeEntryKind.Directory };
        if (isDirectory)
        {
            foreach (byte[] name in List(path))
                Remove(BytePath.Join(path, name));
        }

        using Place place = Resolve(path);
        fixed (byte* name = place.Name)
            Require(unlinkat(place.Directory.Number, name, isDirectory ? AT_REMOVEDIR : 0), "unlink", path);
    }

    /// <summary>What has the name, or for an empty path the tree's own directory; null for nothing.</summary>
    public TreeEntry? Find(ReadOnlySpan<byte> path)
    {
        using Place place = path.IsEmpty ? new Place(OpenBeneath(path, O_PATH | O_DIRECTORY), [0]) : Resolve(path);
        statx status;
        fixed (byte* name = place.Name)
        {
            if (LibC.statx(place.Directory.Number, name, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, STATX_BASIC_STATS, &status) != 0)
                return errno == ENOENT ? null : throw Failure("statx", path);
        }

        TreeEntryKind kind = (FileType)(status.stx_mode & 0xF000) switch
        {
            FileType.Regular => TreeEntryKind.File,
            FileType.Directory => TreeEntryKind.Directory,
            FileType.Link => TreeEntryKind.Link,
            _ => TreeEntryKind.Special,
        };
        return new TreeEntry(
            kind, status.stx_mode & 0xFFF, status.stx_uid, status.stx_gid, (long)status.stx_size,
            new FileTime(status.stx_mtime.tv_sec, (uint)status.stx_mtime.tv_nsec), status.stx_nlink,
            (((ulong)status.stx_dev_major << 32) | status.stx_dev_minor, status.stx_ino));
    }

    /// <summary>What a symbolic link says.</summary>
    public byte[] ReadLink(ReadOnlySpan<byte> path)
    {
        using Place place = Resolve(path);
        byte[] contents = new byte[4096]; // PATH_MAX
        fixed (byte* name = place.Name, buffer = contents)
        {
            int length = (int)readlinkat(place.Directory.Number, name, buffer, contents.Length);
            Require(length, "readlink", path);
            return contents[..length];
        }
    }

    /// <summary>The names in a directory, in the order of their bytes; an empty path is the tree's own.</summary>
    public IReadOnlyList<byte[]> List(ReadOnlySpan<byte> path)
    {
        using Descriptor directory = OpenBeneath(path, O_RDONLY | O_DIRECTORY);
        var names = new List<byte[]>();
        byte[] entries = new byte[64 * 1024];
        fixed (byte* buffer = entries)
        {
            while (true)
            {
                int length = getdents64(directory.Number, buffer, entries.Length);
                Require(length, "getdents64", path);
                if (length == 0)
                    break;
                AddNames(entries.AsSpan(0, length), names);
            }
        }

        names.Sort((one, other) => one.AsSpan().SequenceCompareTo(other));
        return names;
    }

    public void Dispose() => _root.Dispose();

    // struct linux_dirent64: inode 8, offset 8, length 2, type 1, and the name to its NUL.
    private static void AddNames(ReadOnlySpan<byte> entries, List<byte[]> names)
    {
        const int LengthAt = 16, NameAt = 19;
        while (entries.Length > 0)
        {
            ReadOnlySpan<byte> name = entries[NameAt..];
            name = name[..name.IndexOf((byte)0)];
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                names.Add(name.ToArray());
            entries = entries[BitConverter.ToUInt16(entries[LengthAt..])..];
        }
    }

    private Descriptor OpenBeneath(ReadOnlySpan<byte> path, int flags)
    {
        using Descriptor.Borrowed root = _root.Borrow();
        var how = new open_how
        {
            flags = (uint)(flags | O_CLOEXEC),
            resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
        };
        fixed (byte* p = CString(path.IsEmpty ? "."u8 : path))
        {
            int file = openat2(root.Number, p, &how, sizeof(open_how));
            return file >= 0 ? new Descriptor(file) : throw Failure("openat2", path);
        }
    }

    /// <exception cref="SyscallException">The directory is none, or leads out; or the last name is none of a file in it.</exception>
    private Place Resolve(ReadOnlySpan<byte> path)
    {
        (byte[] directory, byte[] name) = BytePath.Split(path);
        return path is [(byte)'/', ..] || name is [] or [(byte)'.'] or [(byte)'.', (byte)'.']
            ? throw new SyscallException("openat2", EXDEV, BytePath.Text(path))
            : new Place(OpenBeneath(directory, O_PATH | O_DIRECTORY), CString(name));
    }

    private static byte[] CString(ReadOnlySpan<byte> path) =>
        path.Contains((byte)0) ? throw new SyscallException("openat2", EINVAL, BytePath.Text(path)) : [.. path, 0];

    private static void Require(int result, string call, ReadOnlySpan<byte> path)
    {
        if (result < 0)
            throw Failure(call, path);
    }

    private static SyscallException Failure(string call, ReadOnlySpan<byte> path) => new(call, errno, BytePath.Text(path));

    /// <summary>A name in an open directory.</summary>
    private readonly ref struct Place(Descriptor directory, byte[] name)
    {
        public Descriptor Directory { get; } = directory;

        /// <summary>Ends with NUL.</summary>
        public byte[] Name { get; } = name;

        public void Dispose() => Directory.Dispose();
    }
}
