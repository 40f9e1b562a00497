using System.Globalization;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Crashcart.Native;

/// <summary>Files that are whole after a crash at any moment: the old contents or the new, never a part.</summary>
public static class DurableFile
{
    private const string Temporary = ".tmp";

    /// <summary>Removes what processes left in a directory that were killed while they replaced a file there, as far as the disk lets it.</summary>
    public static void ClearAway(string directory)
    {
        if (!Directory.Exists(directory))
            return;
        foreach (string begun in Directory.EnumerateFiles(directory, "*" + Temporary))
        {
            string writer = Path.GetExtension(Path.GetFileNameWithoutExtension(begun)).TrimStart('.');
            if (writer.Length > 0 && writer.All(char.IsAsciiDigit) && !Directory.Exists("/proc/" + writer))
                Remove(begun);
        }
    }

    /// <summary>Replaces the contents; when this returns they survive a power cut. Only root can read the file.</summary>
    /// <exception cref="IOException">The disk is full, the directory is missing, and so on; the old contents are still there.</exception>
    public static void Replace(string path, ReadOnlySpan<byte> contents)
    {
        string temporary = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}{Temporary}");
        try
        {
            using (Descriptor file = Descriptor.TryOpen(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0x180 /* 0600 */)
                ?? throw new SyscallException("open", errno, temporary))
            {
                file.Write(contents);
                Flush(file, temporary);
            }
            FaultPoint.Reach("file-written");
            // rename(2): there is no moment at which the path leads nowhere.
            File.Move(temporary, path, overwrite: true);
        }
        catch
        {
            Remove(temporary);
            throw;
        }
        string directory = Path.GetDirectoryName(Path.GetFullPath(path))!;
        using Descriptor parent = Descriptor.Open(directory, O_RDONLY | O_DIRECTORY);
        Flush(parent, directory);
    }

    private static void Flush(Descriptor file, string path)
    {
        if (fsync(file.Number) != 0)
            throw new SyscallException("fsync", errno, path);
    }

    private static unsafe void Remove(string path)
    {
        fixed (byte* name = Descriptor.CString(path))
            _ = unlink(name);
    }
}
