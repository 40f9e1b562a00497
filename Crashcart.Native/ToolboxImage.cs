namespace Crashcart.Native;

/// <summary>
/// A toolbox image attached on this host: the open image file, its read-only autoclear loop device and a detached mount
/// (<c>fsmount(2)</c>, <c>ro,nodev,nosuid</c>). Nothing is visible in any mount namespace. Disposing gives this process's
/// share back; the kernel frees the device when the last mount of it is gone.
/// </summary>
public sealed class AttachedImage : IDisposable
{
    private AttachedImage(string path) => Path = path;

    /// <summary>The image file, as it was named.</summary>
    public string Path { get; }

    /// <summary><c>/dev/loopN</c>.</summary>
    public string LoopDevice => throw new NotSupportedException();

    /// <summary>erofs, ext4 or squashfs, from the superblock's magic.</summary>
    public string FileSystem => throw new NotSupportedException();

    /// <summary>
    /// Opens, identifies and attaches the image. A loop device of ours that already backs this very file is shared.
    /// </summary>
    /// <exception cref="CrashcartException">No file, not an image, not root, kernel older than 5.12.</exception>
    /// <exception cref="SyscallException">The kernel refused.</exception>
    public static AttachedImage Attach(string path) => new(path);

    public void Dispose()
    {
    }
}

/// <summary>A loop device that carries Crashcart's tag in <c>lo_file_name</c>.</summary>
/// <param name="BackingFile">From sysfs; ends in " (deleted)" when the file is gone.</param>
public sealed record LoopDeviceInfo(string Device, string Tag, string BackingFile, int DeviceMajor, int DeviceMinor)
{
    /// <summary>Every loop device on this host that Crashcart made, whichever process made it.</summary>
    public static IReadOnlyList<LoopDeviceInfo> List() => [];
}
