using System.Buffers.Binary;
using System.Text;

namespace Crashcart.Image;

/// <summary>The parts of a 64-bit little-endian ELF file, elf(5), that the dynamic loader reads.</summary>
internal sealed class ElfFile
{
    private const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const int DynamicEntrySize = 16;
    private const uint SegmentLoad = 1, SegmentDynamic = 2, SegmentInterpreter = 3;
    private const long TagNeeded = 1, TagStringTable = 5, TagRpath = 15, TagRunpath = 29;

    private readonly byte[] _content;
    private readonly List<(uint Type, int Offset, ulong Address, int FileSize)> _segments = [];
    private readonly List<(long Tag, ulong Value)> _dynamic = [];

    /// <exception cref="ImageBuildException">Truncated, or of a class that no supported machine has.</exception>
    public ElfFile(byte[] content, string name)
    {
        _content = content;
        try
        {
            if (content[4] != 2 || content[5] != 1)
                throw new ImageBuildException($"{name} is no 64-bit little-endian ELF file.");
            ReadSegments();
            ReadDynamic();
            Needed = Strings(TagNeeded);
            SearchPath = [.. Strings(TagRpath).Concat(Strings(TagRunpath)).SelectMany(path => path.Split(':'))];
        }
        catch (Exception e) when (e is ArgumentException or IndexOutOfRangeException or InvalidOperationException
            or OverflowException)
        {
            throw new ImageBuildException($"{name} is a truncated or damaged ELF file.", e);
        }
    }

    /// <summary>e_machine.</summary>
    public ushort Machine => BinaryPrimitives.ReadUInt16LittleEndian(_content.AsSpan(18));

    /// <summary>Where the interpreter's path stands in the file, with its NULs; null when it has none.</summary>
    public Range? InterpreterRange
    {
        get
        {
            foreach (var (type, offset, _, size) in _segments)
            {
                if (type == SegmentInterpreter)
                    return offset..(offset + size);
            }

            return null;
        }
    }

    public string? Interpreter
        => InterpreterRange is { } range ? Encoding.UTF8.GetString(_content.AsSpan(range)).TrimEnd('\0') : null;

    /// <summary>Names of the libraries that it is linked with.</summary>
    public IReadOnlyList<string> Needed { get; }

    /// <summary>Directories where it wants its libraries looked for first.</summary>
    public IReadOnlyList<string> SearchPath { get; }

    public static bool Is(ReadOnlySpan<byte> content)
        => content.Length >= HeaderSize && content.StartsWith("\x7f"u8) && content[1..].StartsWith("ELF"u8);

    private void ReadSegments()
    {
        var table = checked((int)BinaryPrimitives.ReadUInt64LittleEndian(_content.AsSpan(32)));
        var count = BinaryPrimitives.ReadUInt16LittleEndian(_content.AsSpan(56));
        for (var i = 0; i < count; i++)
        {
            var header = _content.AsSpan(table + (i * ProgramHeaderSize), ProgramHeaderSize);
            _segments.Add((
                BinaryPrimitives.ReadUInt32LittleEndian(header),
                checked((int)BinaryPrimitives.ReadUInt64LittleEndian(header[8..])),
                BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
                checked((int)BinaryPrimitives.ReadUInt64LittleEndian(header[32..]))));
        }
    }

    private void ReadDynamic()
    {
        foreach (var (type, offset, _, size) in _segments)
        {
            if (type != SegmentDynamic)
                continue;
            for (var at = offset; at < offset + size; at += DynamicEntrySize)
            {
                var tag = BinaryPrimitives.ReadInt64LittleEndian(_content.AsSpan(at));
                if (tag == 0)
                    break;
                _dynamic.Add((tag, BinaryPrimitives.ReadUInt64LittleEndian(_content.AsSpan(at + 8))));
            }
        }
    }

    private List<string> Strings(long wanted)
    {
        var strings = new List<string>();
        foreach (var (tag, value) in _dynamic)
        {
            if (tag == wanted)
                strings.Add(TextAt(FileOffset(_dynamic.First(d => d.Tag == TagStringTable).Value) + checked((int)value)));
        }

        return strings;
    }

    private string TextAt(int offset)
    {
        var rest = _content.AsSpan(offset);
        return Encoding.UTF8.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    private int FileOffset(ulong address)
    {
        var segment = _segments.First(s =>
            s.Type == SegmentLoad && address >= s.Address && address < s.Address + (ulong)s.FileSize);
        return segment.Offset + (int)(address - segment.Address);
    }
}
