using System.Globalization;
using System.Text;

namespace Crashcart.Cli.Copy;

/// <summary>Writes a tar archive that GNU tar takes: pax headers with every name and time in full, sparse files as "GNU.sparse 1.0".</summary>
internal sealed class ArchiveWriter(Stream target)
{
    // What GNU tar reads at one time.
    private const int RecordSize = 20 * ArchiveHeader.BlockSize;

    private static readonly byte[] Zeros = new byte[RecordSize];

    private long _written;

    /// <summary>Writes the entry; a file's data must follow, each extent in order, and then <see cref="EndFileAsync"/>.</summary>
    public async Task BeginAsync(ArchiveEntry entry)
    {
        var records = new ArchiveRecords();
        var map = MapOf(entry);
        var size = entry.Data.Sum(extent => extent.Length) + map.Length;
        records.Add(ArchiveRecords.Path, entry.Name);
        records.Add(ArchiveRecords.Modified, entry.Modified);
        records.Add(ArchiveRecords.Size, size);
        records.Add(ArchiveRecords.Owner, entry.Owner);
        records.Add(ArchiveRecords.Group, entry.Group);
        if (entry.LinksTo.Length > 0)
            records.Add(ArchiveRecords.LinkPath, entry.LinksTo);
        if (map.Length > 0)
        {
            records.Add(ArchiveRecords.SparseMajor, 1);
            records.Add(ArchiveRecords.SparseMinor, 0);
            records.Add(ArchiveRecords.SparseName, entry.Name);
            records.Add(ArchiveRecords.SparseSize, entry.Size);
        }

        var text = records.ToBytes();
        await WriteAsync(Header(ArchiveHeader.Extended, "records"u8, mode: 0, text.Length));
        await WriteAsync(text);
        await PadAsync();
        await WriteAsync(Header(TypeOf(entry.Kind), "entry"u8, entry.Mode, size));
        await WriteAsync(map);
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> data)
    {
        await target.WriteAsync(data);
        _written += data.Length;
    }

    public Task EndFileAsync() => PadAsync();

    /// <summary>Writes the archive's end.</summary>
    public async Task FinishAsync()
    {
        await WriteAsync(Zeros.AsMemory(0, 2 * ArchiveHeader.BlockSize));
        await WriteAsync(Zeros.AsMemory(0, (int)((RecordSize - (_written % RecordSize)) % RecordSize)));
    }

    private Task PadAsync() => WriteAsync(Zeros.AsMemory(0, ArchiveHeader.PaddingAfter(_written)));

    /// <summary>The list of a sparse file's extents; empty for a file without holes.</summary>
    private static byte[] MapOf(ArchiveEntry entry)
    {
        if (entry.Kind != ArchiveEntryKind.File || entry.Data.Sum(extent => extent.Length) == entry.Size)
            return [];
        // Without one that ends there GNU tar leaves out a hole at the end.
        Extent[] extents = [.. entry.Data, new Extent(entry.Size, 0)];
        var text = new StringBuilder().Append(CultureInfo.InvariantCulture, $"{extents.Length}\n");
        foreach (var (start, length) in extents)
            text.Append(CultureInfo.InvariantCulture, $"{start}\n{length}\n");
        text.Append('\0', ArchiveHeader.PaddingAfter(text.Length));
        return Encoding.ASCII.GetBytes(text.ToString());
    }

    private static byte[] Header(byte type, ReadOnlySpan<byte> name, int mode, long size)
    {
        var block = new byte[ArchiveHeader.BlockSize];
        name.CopyTo(ArchiveHeader.Name.Of(block.AsSpan()));
        ArchiveHeader.SetNumber(block, ArchiveHeader.Mode, mode);
        ArchiveHeader.SetNumber(block, ArchiveHeader.Owner, 0);
        ArchiveHeader.SetNumber(block, ArchiveHeader.Group, 0);
        ArchiveHeader.SetNumber(block, ArchiveHeader.Size, size);
        ArchiveHeader.SetNumber(block, ArchiveHeader.Modified, 0);
        ArchiveHeader.Type.Of(block.AsSpan())[0] = type;
        ArchiveHeader.MagicText.CopyTo(ArchiveHeader.Magic.Of(block.AsSpan()));
        ArchiveHeader.SetNumber(block, ArchiveHeader.Checksum, ArchiveHeader.ChecksumOf(block));
        return block;
    }

    private static byte TypeOf(ArchiveEntryKind kind) => kind switch
    {
        ArchiveEntryKind.File => ArchiveHeader.File,
        ArchiveEntryKind.Directory => ArchiveHeader.Directory,
        ArchiveEntryKind.Link => ArchiveHeader.Link,
        ArchiveEntryKind.HardLink => ArchiveHeader.HardLink,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
