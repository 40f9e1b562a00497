using System.Buffers.Binary;
using System.Text;

namespace Crashcart.Cli.Output.Capture;

/// <summary>Writes one capture of many interfaces, block by block, so that it can be read while it grows (draft-ietf-opsawg-pcapng).</summary>
internal sealed class PcapngWriter(Stream output)
{
    private const uint SectionHeader = 0x0A0D0D0A;
    private const uint InterfaceDescription = 1;
    private const uint EnhancedPacket = 6;
    private const ushort EndOfOptions = 0;
    private const ushort InterfaceName = 2;
    private const ushort TimestampResolution = 9;
    private const ushort Application = 4;
    private const byte Nanoseconds = 9;

    private readonly MemoryStream _block = new();
    private uint _interfaces;

    public void Begin(string application)
    {
        // The byte order, version 1.0, and a length that is not known.
        Number(0x1A2B3C4D);
        Number(1);
        Number(uint.MaxValue);
        Number(uint.MaxValue);
        Option(Application, Encoding.UTF8.GetBytes(application));
        Option(EndOfOptions, []);
        Finish(SectionHeader);
    }

    /// <returns>The interface's number.</returns>
    public uint AddInterface(string name, ushort linkType, uint snapLength)
    {
        Number(linkType);
        Number(snapLength);
        Option(InterfaceName, Encoding.UTF8.GetBytes(name));
        Option(TimestampResolution, [Nanoseconds]);
        Option(EndOfOptions, []);
        Finish(InterfaceDescription);
        return _interfaces++;
    }

    public void Write(uint @interface, Packet packet)
    {
        Number(@interface);
        Number((uint)(packet.Nanoseconds >> 32));
        Number((uint)packet.Nanoseconds);
        Number((uint)packet.Data.Length);
        Number(packet.Length);
        Padded(packet.Data);
        Finish(EnhancedPacket);
    }

    private void Number(uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        _block.Write(bytes);
    }

    private void Option(ushort code, ReadOnlySpan<byte> value)
    {
        Number(code | ((uint)value.Length << 16));
        Padded(value);
    }

    private void Padded(ReadOnlySpan<byte> data)
    {
        _block.Write(data);
        while (_block.Length % sizeof(uint) != 0)
            _block.WriteByte(0);
    }

    /// <summary>One write a block: a reader that follows never sees half of one for long.</summary>
    private void Finish(uint type)
    {
        var body = _block.ToArray();
        _block.SetLength(0);
        var length = (uint)body.Length + 12;
        Number(type);
        Number(length);
        _block.Write(body);
        Number(length);
        output.Write(_block.GetBuffer().AsSpan(0, (int)_block.Length));
        _block.SetLength(0);
    }
}
