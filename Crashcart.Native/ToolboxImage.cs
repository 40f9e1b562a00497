using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// A toolbox image attached on this host: its read-only autoclear loop device and a detached mount of it
/// (<c>fsmount(2)</c>, <c>ro,nodev,nosuid</c>). Nothing is visible in any mount namespace. Disposing gives this process's
/// share back; the kernel frees the device when the last mount of it is gone.
/// </summary>
public sealed class AttachedImage : IDisposable
{
    private readonly DetachedMount _mount;

    private AttachedImage(string path, LoopDevice device, string fileSystem, DetachedMount mount)
    {
        Path = path;
        LoopDevice = device.Path;
        Tag = device.Tag;
        FileSystem = fileSystem;
        _mount = mount;
    }

    /// <summary>The image file, as it was named.</summary>
    public string Path { get; }

    /// <summary><c>/dev/loopN</c>.</summary>
    public string LoopDevice { get; }

    /// <summary>Which image file it is, and in what state, as <see cref="ImageIdentity.Key"/>.</summary>
    public string ImageKey => Tag.Value;

    /// <summary>erofs, ext4 or squashfs, from the superblock's magic.</summary>
    public string FileSystem { get; }

    /// <summary>
    /// A path by which this process alone reaches the image's root, while this lives. Links in the image are anybody's: whoever
    /// follows one may leave the image.
    /// </summary>
    public string Root => _mount.Root;

    /// <summary>
    /// Whether it is a toolbox that 'crashcart image build' made, and that says so in its manifest: the paths in its programs
    /// lead to <see cref="SharedMount.Path"/>.
    /// </summary>
    internal bool IsBuiltForDefaultPath => FileStatus.Of(Root + "/manifest.json", followLinks: false) is { Type: FileType.Regular };

    /// <summary>The same for every attachment of the same file in the same state.</summary>
    internal LoopTag Tag { get; }

    /// <summary>
    /// Opens, identifies and attaches the image. A loop device of ours that already backs this very file is shared.
    /// </summary>
    /// <exception cref="CrashcartException">No file, not an image, not root, kernel older than 5.12.</exception>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public static AttachedImage Attach(string path)
    {
        using Descriptor file = ImageFile.Open(path, out FileStatus status);
        Superblock superblock = ImageFile.Identify(file, status, path);
        Privilege.Require("attach an image");
        KernelVersion.Require(Environment.OSVersion.Version);
        // Once it is mounted, the mount keeps the device.
        using LoopDevice device = Native.LoopDevice.Attach(file, status, superblock.SectorSize, path);
        FaultPoint.Reach("attach-device-configured");
        DetachedMount mount = DetachedMount.Create(superblock.FileSystem, device.Path, path);
        FaultPoint.Reach("attach-mounted");
        return new AttachedImage(path, device, superblock.FileSystem, mount);
    }

    public void Dispose() => _mount.Dispose();

    /// <summary>A clone of the mount that can be moved into one mount namespace.</summary>
    /// <exception cref="SyscallException">open_tree(2) failed.</exception>
    internal Descriptor CloneTree() => _mount.CloneTree();
}

/// <summary>A loop device that carries Crashcart's tag in <c>lo_file_name</c>.</summary>
/// <param name="BackingFile">From sysfs; ends in " (deleted)" when the file is gone.</param>
/// <param name="DeviceMajor">With <paramref name="DeviceMinor"/> the device number that /proc/PID/mountinfo shows for its mounts.</param>
public sealed record LoopDeviceInfo(string Device, string Tag, string BackingFile, int DeviceMajor, int DeviceMinor)
{
    /// <summary>Every loop device on this host that Crashcart made, whichever process made it.</summary>
    public static IReadOnlyList<LoopDeviceInfo> List() => LoopDevices.ListOwn();

    /// <summary>Whether one of them has the file, which then is in use even if no process knows of it.</summary>
    public static bool HasFile(string path) =>
        FileStatus.Of(path) is { } file
        && LoopTag.OfAnyState(file) is var tag
        && List().Any(device => device.Tag.StartsWith(tag, StringComparison.Ordinal));
}
