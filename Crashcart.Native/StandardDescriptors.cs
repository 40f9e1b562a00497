using System.Collections;
using System.Runtime.InteropServices;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>
/// Descriptors 0, 1 and 2. Where the caller gave none, the runtime's own files take the number before <c>Main</c> begins
/// (/dev/urandom, for one), and a tool that inherits the standard streams would read or write those.
/// </summary>
public static unsafe class StandardDescriptors
{
    /// <summary>Returns when the caller gave all three; otherwise starts the program anew with /dev/null for what is missing.</summary>
    /// <exception cref="SyscallException">open(2), dup2(2) or execve(2) failed.</exception>
    public static void Require()
    {
        int[] missing = [.. Enumerable.Range(0, 3).Where(IsMissing)];
        if (missing.Length > 0)
            StartAnew(missing);
    }

    // What was inherited came through execve(2), and so is not close-on-exec; what the runtime opens to keep is.
    private static bool IsMissing(int number) => fcntl(number, F_GETFD) is var flags && (flags < 0 || (flags & FD_CLOEXEC) != 0);

    private static void StartAnew(int[] missing)
    {
        // All memory is ready before the first descriptor is replaced, as the runtime may need the one it has there. It is
        // never freed: after the call the program is another one, or ends.
        byte** arguments = ToVector(Environment.GetCommandLineArgs());
        byte** environment = ToVector(Environment.GetEnvironmentVariables().Cast<DictionaryEntry>().Select(v => $"{v.Key}={v.Value}"));
        foreach (int number in missing)
            OpenNothing(number);
        fixed (byte* path = "/proc/self/exe\0"u8)
            _ = execve(path, arguments, environment);
        throw new SyscallException("execve", errno, "/proc/self/exe");
    }

    private static void OpenNothing(int number)
    {
        int opened;
        fixed (byte* path = "/dev/null\0"u8)
            opened = open(path, O_RDWR);
        if (opened < 0)
            throw new SyscallException("open", errno, "/dev/null");
        if (opened == number)
            return;
        if (dup2(opened, number) < 0)
            throw new SyscallException("dup2", errno, $"{opened}, {number}");
        _ = close(opened);
    }

    private static byte** ToVector(IEnumerable<string> strings)
    {
        nint[] pointers = [.. strings.Select(Marshal.StringToCoTaskMemUTF8), 0];
        var vector = (byte**)NativeMemory.Alloc((nuint)pointers.Length, (nuint)sizeof(byte*));
        for (int i = 0; i < pointers.Length; i++)
            vector[i] = (byte*)pointers[i];
        return vector;
    }
}
