using System.Text;
using Crashcart.Native.Syscalls;
using Tmds.Linux;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>A mount that no mount namespace holds; it lives as long as its descriptor, or a clone of it, does.</summary>
internal sealed class DetachedMount : IDisposable
{
    private const int Attempts = 200;

    private readonly Descriptor _mount;
    private readonly string _fileSystem;
    private readonly string _device;
    private readonly string _image;

    private DetachedMount(Descriptor mount, string fileSystem, string device, string image)
    {
        _mount = mount;
        _fileSystem = fileSystem;
        _device = device;
        _image = image;
    }

    /// <summary>Mounts a block device read-only, without devices and set-uid programs.</summary>
    /// <param name="image">For error messages.</param>
    /// <exception cref="CrashcartException">The image is damaged; the kernel lacks the file system.</exception>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public static DetachedMount Create(string fileSystem, string device, string image) =>
        new(Mount(fileSystem, device, image), fileSystem, device, image);

    /// <summary>By which this process alone reaches the mount's root, while this lives.</summary>
    public string Root => $"/proc/self/fd/{_mount.Number}";

    /// <summary>Another mount of the same, which can be moved into one mount namespace.</summary>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public unsafe Descriptor CloneTree()
    {
        using Descriptor.Borrowed mount = _mount.Borrow();
        fixed (byte* empty = "\0"u8)
        {
            int fd = Calls.open_tree(mount.Number, empty, OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH);
            if (fd >= 0)
                return new Descriptor(fd);
        }
        int error = errno;
        // Before Linux 6.15 what no mount namespace holds is not cloned.
        return error == EINVAL ? MountAgain() : throw new SyscallException("open_tree", error, "OPEN_TREE_CLONE");
    }

    /// <summary>Mounts the device once more: the superblock is the same, and does not go while this lives.</summary>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    internal Descriptor MountAgain() => Mount(_fileSystem, _device, _image);

    public void Dispose() => _mount.Dispose();

    private static Descriptor Mount(string fileSystem, string device, string image)
    {
        // Another process may just be letting go of the same superblock: the kernel then says EBUSY for a moment.
        for (int attempt = 0; ; attempt++)
        {
            using Descriptor context = OpenContext(fileSystem, image);
            Configure(context, FSCONFIG_SET_STRING, "source", device);
            Configure(context, FSCONFIG_SET_FLAG, "ro", null);
            if (TryConfigure(context, FSCONFIG_CMD_CREATE, null, null))
                return Mount(context);
            int error = errno;
            if (error != EBUSY || attempt == Attempts)
                throw NotMountable(fileSystem, image, error, context);
            Thread.Sleep(1);
        }
    }

    private static unsafe Descriptor OpenContext(string fileSystem, string image)
    {
        fixed (byte* type = Descriptor.CString(fileSystem))
        {
            int fd = Calls.fsopen(type, FSOPEN_CLOEXEC);
            if (fd >= 0)
                return new Descriptor(fd);
        }
        int error = errno;
        if (error == ENODEV)
        {
            throw new CrashcartException(
                FailureReason.System,
                $"The image '{image}' is {fileSystem} and this kernel has no {fileSystem}: "
                + $"load it (modprobe {fileSystem}), or build the image as another type.");
        }
        throw new SyscallException("fsopen", error, fileSystem);
    }

    private static void Configure(Descriptor context, int command, string key, string? value)
    {
        if (!TryConfigure(context, command, key, value))
            throw new SyscallException("fsconfig", errno, $"{key} {value}");
    }

    private static unsafe bool TryConfigure(Descriptor context, int command, string? key, string? value)
    {
        fixed (byte* k = key is null ? null : Descriptor.CString(key))
        fixed (byte* v = value is null ? null : Descriptor.CString(value))
            return Calls.fsconfig(context.Number, command, k, v, 0) == 0;
    }

    private static Descriptor Mount(Descriptor context)
    {
        int fd = Calls.fsmount(context.Number, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID);
        return fd < 0 ? throw new SyscallException("fsmount", errno, "ro,nodev,nosuid") : new Descriptor(fd);
    }

    private static Exception NotMountable(string fileSystem, string image, int error, Descriptor context)
    {
        if (error == EPERM || error == ENOMEM || error == EBUSY)
            return new SyscallException("fsconfig", error, $"FSCONFIG_CMD_CREATE, {fileSystem}, {image}");
        return new CrashcartException(
            FailureReason.NoImage,
            $"The image '{image}' begins like {fileSystem} and does not mount "
            + $"({SyscallException.Describe(error)}{KernelMessage(context)}): it is damaged or cut off; build or copy it again.",
            new SyscallException("fsconfig", error, "FSCONFIG_CMD_CREATE"));
    }

    /// <summary>What the file system itself had to say, fsopen(2): lines that begin with a letter for the level.</summary>
    private static unsafe string KernelMessage(Descriptor context)
    {
        const int Size = 512;
        byte* buffer = stackalloc byte[Size];
        int n = (int)read(context.Number, buffer, Size);
        string text = n <= 2 ? "" : Encoding.UTF8.GetString(buffer + 2, n - 2).Trim();
        return text.Length == 0 ? "" : "; " + text;
    }
}
