using Crashcart.Native.Syscalls;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// Held while a process looks for an image's loop device and makes one, so that two processes do not make two. It is only
/// an economy: whoever can read the image can lock it for ever, so after a while we go on without.
/// </summary>
internal sealed class ImageLock : IDisposable
{
    private const int PatienceMs = 250;

    private readonly Descriptor? _file;

    private ImageLock(Descriptor? file) => _file = file;

    public static ImageLock Take(Descriptor image)
    {
        // An open file of its own: the loop device keeps the other one, and would keep the lock with it.
        Descriptor? file = Descriptor.TryOpen($"/proc/self/fd/{image.Number}", O_RDONLY);
        if (file is null)
            return new ImageLock(null);
        for (int i = 0; i < PatienceMs && Calls.flock(file.Number, LOCK_EX | LOCK_NB) != 0 && errno == EAGAIN; i++)
            Thread.Sleep(1);
        return new ImageLock(file);
    }

    public void Dispose() => _file?.Dispose();
}
