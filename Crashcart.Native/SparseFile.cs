using Microsoft.Win32.SafeHandles;
using static Crashcart.Native.Syscalls.Constants;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>Files with holes: parts that were never written, read as zeros, and take no room.</summary>
public static class SparseFile
{
    /// <summary>The parts that are no holes, in order, as far as the file system tells, lseek(2); moves the file's offset.</summary>
    /// <param name="size">Where the file ends.</param>
    /// <exception cref="SyscallException">lseek(2) failed.</exception>
    public static IReadOnlyList<(long Start, long Length)> Data(SafeFileHandle file, long size)
    {
        var parts = new List<(long, long)>();
        for (long at = 0; at < size;)
        {
            long start = Seek(file, at, SEEK_DATA);
            if (start < 0 || start >= size)
                break;
            long end = Seek(file, start, SEEK_HOLE);
            end = end < 0 ? size : Math.Min(end, size);
            parts.Add((start, end - start));
            at = end;
        }
        return parts;
    }

    /// <returns>-1: there is none until the file's end.</returns>
    private static long Seek(SafeFileHandle file, long from, int what)
    {
        bool added = false;
        file.DangerousAddRef(ref added);
        try
        {
            long found = lseek((int)file.DangerousGetHandle(), from, what);
            return found >= 0 || errno == ENXIO ? found : throw new SyscallException("lseek", errno);
        }
        finally
        {
            file.DangerousRelease();
        }
    }
}
