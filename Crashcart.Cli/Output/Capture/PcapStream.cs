using System.Buffers.Binary;

namespace Crashcart.Cli.Output.Capture;

/// <summary>One captured packet.</summary>
/// <param name="Nanoseconds">Since 1970-01-01 UTC, by the clock of the host that captured it.</param>
/// <param name="Length">On the wire; <paramref name="Data"/> may be shorter.</param>
internal sealed record Packet(ulong Nanoseconds, uint Length, byte[] Data);

/// <summary>Reads packets out of a capture as it comes, in pieces of any size (pcap-savefile(5)).</summary>
internal sealed class PcapStream
{
    private const int FileHeader = 24;
    private const int PacketHeader = 16;

    /// <summary>Bytes; MAXIMUM_SNAPLEN of tcpdump(8).</summary>
    private const uint Longest = 262144;

    private readonly List<byte> _held = [];
    private bool _isBigEndian;
    private uint _nanosecondsPerUnit;

    /// <summary>The link-layer header type; null before the capture's header has come.</summary>
    public ushort? LinkType { get; private set; }

    /// <summary>Bytes that are kept of a packet at most.</summary>
    public uint SnapLength { get; private set; }

    /// <returns>The packets that are whole now.</returns>
    /// <exception cref="InvalidDataException">This is no capture.</exception>
    public IReadOnlyList<Packet> Read(ReadOnlySpan<byte> piece)
    {
        _held.AddRange(piece);
        var data = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_held);
        var at = 0;
        if (LinkType is null)
        {
            if (data.Length < FileHeader)
                return [];
            ReadHeader(data);
            at = FileHeader;
        }

        var packets = new List<Packet>();
        while (data.Length - at >= PacketHeader)
        {
            var kept = Number(data[(at + 8)..]);
            if (kept > Longest)
                throw new InvalidDataException($"a packet says that it has {kept} bytes");
            if (data.Length - at - PacketHeader < kept)
                break;
            var time = (Number(data[at..]) * 1_000_000_000ul) + ((ulong)Number(data[(at + 4)..]) * _nanosecondsPerUnit);
            packets.Add(new Packet(time, Number(data[(at + 12)..]), data.Slice(at + PacketHeader, (int)kept).ToArray()));
            at += PacketHeader + (int)kept;
        }

        _held.RemoveRange(0, at);
        return packets;
    }

    private void ReadHeader(ReadOnlySpan<byte> data)
    {
        var magic = BinaryPrimitives.ReadUInt32LittleEndian(data);
        _isBigEndian = magic is 0xd4c3b2a1 or 0x4d3cb2a1;
        _nanosecondsPerUnit = (_isBigEndian ? BinaryPrimitives.ReverseEndianness(magic) : magic) switch
        {
            0xa1b2c3d4 => 1000,
            0xa1b23c4d => 1,
            _ => throw new InvalidDataException("it does not begin as a capture does"),
        };
        SnapLength = Number(data[16..]);
        LinkType = (ushort)Number(data[20..]);
    }

    private uint Number(ReadOnlySpan<byte> data) =>
        _isBigEndian ? BinaryPrimitives.ReadUInt32BigEndian(data) : BinaryPrimitives.ReadUInt32LittleEndian(data);
}
