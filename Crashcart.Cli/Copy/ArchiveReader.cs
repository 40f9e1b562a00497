using System.Globalization;
using System.Text;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>
/// Reads a tar archive as GNU tar writes it with <c>--format=pax --sparse</c>, as it comes. Who wrote it is not trusted: what is no such
/// archive, or ends before its end, is refused; and no field makes this take more memory than a name and a list of extents need.
/// </summary>
/// <remarks>System.Formats.Tar knows no sparse files, takes names for UTF-8, and reads an extended header of any size into memory.</remarks>
internal sealed class ArchiveReader(Stream source)
{
    private const int LongestRecords = 1024 * 1024;
    private const int MostExtents = 1024 * 1024;

    private readonly byte[] _block = new byte[ArchiveHeader.BlockSize];
    private readonly byte[] _buffer = new byte[128 * 1024];
    private IReadOnlyList<Extent> _data = [];
    private long _left;
    private int _padding;

    /// <summary>The next entry, or null at the archive's end.</summary>
    /// <exception cref="InvalidDataException">It is no such archive, or was cut.</exception>
    public async ValueTask<ArchiveEntry?> NextAsync()
    {
        await SkipAsync(_left + _padding);
        (_left, _padding) = (0, 0);
        var records = new ArchiveRecords();
        while (true)
        {
            await ReadBlockAsync();
            if (IsZero(_block))
            {
                await ReadBlockAsync();
                return IsZero(_block) ? null : throw ArchiveHeader.Corrupt("it goes on behind its end");
            }

            if (ArchiveHeader.ChecksumOf(_block) != ArchiveHeader.Number(_block, ArchiveHeader.Checksum))
                throw ArchiveHeader.Corrupt("a checksum is wrong");
            var type = ArchiveHeader.Type.Of(_block)[0];
            if (type is not (ArchiveHeader.Extended or ArchiveHeader.Global))
                return await EntryAsync(type, records);
            var text = await ReadRecordsAsync();
            if (type == ArchiveHeader.Extended)
                records = ArchiveRecords.Parse(text);
        }
    }

    /// <summary>Hands over the contents of the last entry in pieces, each with its place in the file.</summary>
    public async Task ReadContentsAsync(Action<long, ReadOnlyMemory<byte>> take)
    {
        foreach (var (start, length) in _data)
        {
            for (var done = 0L; done < length;)
            {
                var count = await source.ReadAsync(_buffer.AsMemory(0, (int)Math.Min(_buffer.Length, length - done)));
                if (count == 0)
                    throw Cut();
                take(start + done, _buffer.AsMemory(0, count));
                done += count;
                _left -= count;
            }
        }
    }

    /// <summary>Reads what stands behind the archive's end, so that its writer can end.</summary>
    public async Task DrainAsync()
    {
        while (await source.ReadAsync(_buffer) > 0)
        {
        }
    }

    private async ValueTask<ArchiveEntry> EntryAsync(byte type, ArchiveRecords records)
    {
        var kind = type switch
        {
            ArchiveHeader.File or 0 => ArchiveEntryKind.File,
            ArchiveHeader.Directory => ArchiveEntryKind.Directory,
            ArchiveHeader.Link => ArchiveEntryKind.Link,
            ArchiveHeader.HardLink => ArchiveEntryKind.HardLink,
            ArchiveHeader.CharacterDevice or ArchiveHeader.BlockDevice or ArchiveHeader.Fifo => ArchiveEntryKind.Special,
            _ => throw ArchiveHeader.Corrupt(string.Create(CultureInfo.InvariantCulture, $"an entry is of type {type}")),
        };
        var entry = new ArchiveEntry
        {
            Name = records[ArchiveRecords.SparseName] ?? records[ArchiveRecords.Path] ?? PlainName(),
            Kind = kind,
            LinksTo = records[ArchiveRecords.LinkPath] ?? ArchiveHeader.Text(_block, ArchiveHeader.LinkName),
            Mode = (int)(ArchiveHeader.Number(_block, ArchiveHeader.Mode) & 0xFFF),
            Owner = Id(records.Number(ArchiveRecords.Owner) ?? ArchiveHeader.Number(_block, ArchiveHeader.Owner)),
            Group = Id(records.Number(ArchiveRecords.Group) ?? ArchiveHeader.Number(_block, ArchiveHeader.Group)),
            Modified = records.Time(ArchiveRecords.Modified) ?? new FileTime(ArchiveHeader.Number(_block, ArchiveHeader.Modified), 0),
        };
        if (kind != ArchiveEntryKind.File)
        {
            _data = [];
            return entry;
        }

        _left = records.Number(ArchiveRecords.Size) ?? ArchiveHeader.Number(_block, ArchiveHeader.Size);
        if (_left < 0)
            throw ArchiveHeader.Corrupt("a size is negative");
        _padding = ArchiveHeader.PaddingAfter(_left);
        var size = _left;
        _data = [new Extent(0, _left)];
        if (records[ArchiveRecords.SparseMajor] is not null)
        {
            if (records.Number(ArchiveRecords.SparseMajor) != 1 || records.Number(ArchiveRecords.SparseMinor) != 0)
                throw ArchiveHeader.Corrupt("a sparse file is of another kind than GNU's 1.0");
            size = records.Number(ArchiveRecords.SparseSize) ?? throw ArchiveHeader.Corrupt("a sparse file has no size");
            _data = await ReadExtentsAsync(size);
        }

        return entry with { Size = size, Data = _data };
    }

    private byte[] PlainName()
    {
        var name = ArchiveHeader.Text(_block, ArchiveHeader.Name);
        return ArchiveHeader.Magic.Of(_block).StartsWith("ustar\0"u8) && ArchiveHeader.Text(_block, ArchiveHeader.Prefix) is { Length: > 0 } prefix
            ? BytePath.Join(prefix, name)
            : name;
    }

    /// <summary>The list of extents: decimal numbers in lines, filled up to a block's end.</summary>
    private async ValueTask<IReadOnlyList<Extent>> ReadExtentsAsync(long size)
    {
        var lines = new BlockLines(this);
        var count = await lines.NextAsync();
        if (count > MostExtents)
            throw ArchiveHeader.Corrupt("a sparse file has too many parts");
        var extents = new List<Extent>();
        var (end, sum) = (0L, 0L);
        for (var i = 0; i < count; i++)
        {
            var extent = new Extent(await lines.NextAsync(), await lines.NextAsync());
            if (extent.Start < end || extent.Start > size || extent.Length > size - extent.Start)
                throw ArchiveHeader.Corrupt("the parts of a sparse file overlap, or are not in it");
            (end, sum) = (extent.Start + extent.Length, sum + extent.Length);
            // GNU tar marks a hole at the end by one without bytes.
            if (extent.Length > 0)
                extents.Add(extent);
        }

        return sum == _left ? extents : throw ArchiveHeader.Corrupt("the parts of a sparse file are not all its data");
    }

    private async ValueTask<byte[]> ReadRecordsAsync()
    {
        var length = ArchiveHeader.Number(_block, ArchiveHeader.Size);
        if (length is < 0 or > LongestRecords)
            throw ArchiveHeader.Corrupt("an extended header is too long");
        var text = new byte[length];
        await ReadExactlyAsync(text);
        await SkipAsync(ArchiveHeader.PaddingAfter(length));
        return text;
    }

    private ValueTask ReadBlockAsync() => ReadExactlyAsync(_block);

    private async ValueTask ReadExactlyAsync(Memory<byte> buffer)
    {
        if (await source.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
            throw Cut();
    }

    private async ValueTask SkipAsync(long count)
    {
        while (count > 0)
        {
            var read = await source.ReadAsync(_buffer.AsMemory(0, (int)Math.Min(_buffer.Length, count)));
            count -= read > 0 ? read : throw Cut();
        }
    }

    private static uint Id(long number) => number is >= 0 and < uint.MaxValue ? (uint)number : throw ArchiveHeader.Corrupt("an owner's number is none");

    private static bool IsZero(ReadOnlySpan<byte> block) => !block.ContainsAnyExcept((byte)0);

    private static InvalidDataException Cut() => new("it ended before it was whole");

    /// <summary>Numbers at the beginning of an entry's contents, one a line.</summary>
    private sealed class BlockLines(ArchiveReader reader)
    {
        private int _at = ArchiveHeader.BlockSize;

        public async ValueTask<long> NextAsync()
        {
            var digits = new StringBuilder();
            while (true)
            {
                if (_at == ArchiveHeader.BlockSize)
                {
                    if ((reader._left -= ArchiveHeader.BlockSize) < 0)
                        throw ArchiveHeader.Corrupt("the list of a sparse file's parts has no end");
                    await reader.ReadBlockAsync();
                    _at = 0;
                }

                var next = (char)reader._block[_at++];
                if (next == '\n' && long.TryParse(digits.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                    return number;
                if (!char.IsAsciiDigit(next) || digits.Length > 18)
                    throw ArchiveHeader.Corrupt("the list of a sparse file's parts is malformed");
                digits.Append(next);
            }
        }
    }
}
