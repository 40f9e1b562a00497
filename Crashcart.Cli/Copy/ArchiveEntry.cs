using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>What a tar archive says of a file before its contents.</summary>
internal sealed record ArchiveEntry
{
    /// <summary>As it stands in the archive; no promise about where it leads.</summary>
    public required byte[] Name { get; init; }

    public required ArchiveEntryKind Kind { get; init; }

    /// <summary>Of a file: bytes, holes included.</summary>
    public long Size { get; init; }

    /// <summary>What a symbolic link says; the entry that a hard link is another name of.</summary>
    public byte[] LinksTo { get; init; } = [];

    /// <summary>Permissions, with the set-ID and sticky bits.</summary>
    public int Mode { get; init; }

    public uint Owner { get; init; }

    public uint Group { get; init; }

    public FileTime Modified { get; init; }

    /// <summary>The parts of a file that are no holes, in order.</summary>
    public IReadOnlyList<Extent> Data { get; init; } = [];
}

internal enum ArchiveEntryKind
{
    File,
    Directory,
    Link,
    HardLink,

    /// <summary>A device or a FIFO.</summary>
    Special,
}

/// <summary>A part of a file, in bytes.</summary>
internal readonly record struct Extent(long Start, long Length);
