namespace Crashcart.Native;

/// <summary>The image at <c>/dev/crashcart</c> in a container's own mount namespace, seen by everything in it.</summary>
/// <param name="MountId">As in /proc/PID/mountinfo.</param>
/// <param name="LoopDevice">/dev/loopN</param>
public sealed record SharedMount(int MountId, string LoopDevice, string BackingFile)
{
    public const string Path = "/dev/crashcart";

    /// <summary>Our mount in the target, or null. A mount at that path that is not ours is not ours to see.</summary>
    public static SharedMount? Find(TargetProcess target) => null;

    /// <summary>Mounts the image; when the same image is already there, that is the answer.</summary>
    /// <exception cref="CrashcartException">Another image is mounted there; the container's /dev cannot take a mount; hostile path.</exception>
    public static Task<SharedMount> AttachAsync(TargetProcess target, AttachedImage image, CancellationToken cancellation = default) =>
        throw new NotSupportedException();

    /// <summary>Unmounts ours and removes the mount point. Nothing mounted is no error: the answer is false.</summary>
    /// <param name="force">Detach lazily when processes in the container still use it.</param>
    /// <exception cref="CrashcartException">Busy: names the processes.</exception>
    public static Task<bool> DetachAsync(TargetProcess target, bool force = false, CancellationToken cancellation = default) =>
        throw new NotSupportedException();
}
