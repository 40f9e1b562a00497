using System.Text;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>Small files that the kernel makes up as they are read, below /proc, /sys and cgroup file systems.</summary>
internal static class ProcFile
{
    /// <summary>
    /// Bytes of the longest file that is read. Some are as long as a container likes: it may have 100,000 mounts, and a
    /// process decides itself what its environment is.
    /// </summary>
    private const int Longest = 16 << 20;

    /// <summary>The whole text, or null when the file cannot be read, and errno says why, or is absurdly long.</summary>
    public static string? TryRead(string path)
    {
        using Descriptor? file = Descriptor.TryOpen(path, O_RDONLY);
        return file is null ? null : TryReadOpen(file, out _);
    }

    /// <summary>As <see cref="TryRead(string)"/>, below an open directory.</summary>
    public static string? TryRead(Descriptor directory, string name) => TryRead(directory, name, out _);

    /// <summary>As <see cref="TryRead(Descriptor, string)"/>.</summary>
    /// <param name="isTooLong">Nothing else was wrong.</param>
    public static string? TryRead(Descriptor directory, string name, out bool isTooLong)
    {
        isTooLong = false;
        using Descriptor? file = directory.TryOpenAt(name, O_RDONLY);
        return file is null ? null : TryReadOpen(file, out isTooLong);
    }

    /// <summary>The value of <c>Name:</c> in a file such as /proc/PID/status, or null.</summary>
    public static string? Field(string text, string name)
    {
        foreach (ReadOnlySpan<char> line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] == ':')
                return line[(name.Length + 1)..].Trim().ToString();
        }
        return null;
    }

    private static string? TryReadOpen(Descriptor file, out bool isTooLong)
    {
        isTooLong = false;
        try
        {
            byte[]? bytes = file.ReadToEnd(Longest);
            isTooLong = bytes is null;
            return bytes is null ? null : Encoding.UTF8.GetString(bytes);
        }
        catch (SyscallException)
        {
            // The process, or what the file told of, went away between open(2) and read(2).
            return null;
        }
    }
}
