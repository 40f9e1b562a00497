using System.Text;

namespace Crashcart.Native;

/// <summary>What kind of file a name leads to, links not followed.</summary>
public enum TreeEntryKind
{
    File,
    Directory,
    Link,

    /// <summary>A device, a FIFO or a socket.</summary>
    Special,
}

/// <summary>What inode(7) tells of a file.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Mode">Permissions, with the set-ID and sticky bits.</param>
/// <param name="Owner">User id.</param>
/// <param name="Group">Group id.</param>
/// <param name="Size">Bytes, holes included.</param>
/// <param name="Modified">When its contents last changed.</param>
/// <param name="Links">How many names it has.</param>
/// <param name="Identity">Equal for names of the same file.</param>
public readonly record struct TreeEntry(
    TreeEntryKind Kind, int Mode, uint Owner, uint Group, long Size, FileTime Modified, uint Links, (ulong Device, ulong Inode) Identity);

/// <summary>A time as file systems keep it.</summary>
/// <param name="Seconds">Since 1970, before it negative.</param>
/// <param name="Nanoseconds">0 to 999,999,999, after <paramref name="Seconds"/>.</param>
public readonly record struct FileTime(long Seconds, uint Nanoseconds);

/// <summary>Paths as Linux has them: bytes, whatever their encoding.</summary>
public static class BytePath
{
    private const byte Slash = (byte)'/';

    public static byte[] Of(string text) => Encoding.UTF8.GetBytes(text);

    /// <summary>For people: what is no UTF-8 is shown as U+FFFD.</summary>
    public static string Text(ReadOnlySpan<byte> path) => Encoding.UTF8.GetString(path);

    public static byte[] Join(ReadOnlySpan<byte> directory, ReadOnlySpan<byte> name) =>
        directory.IsEmpty ? name.ToArray() : [.. directory, Slash, .. name];

    /// <summary>The directory that the last name is in, empty for none before it; and that name.</summary>
    public static (byte[] Directory, byte[] Name) Split(ReadOnlySpan<byte> path)
    {
        int slash = path.LastIndexOf(Slash);
        return slash < 0 ? ([], path.ToArray()) : (path[..slash].ToArray(), path[(slash + 1)..].ToArray());
    }
}
