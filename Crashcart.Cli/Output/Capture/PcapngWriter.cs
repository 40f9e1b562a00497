using System.Buffers;
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

    private readonly ArrayBufferWriter<byte> _body = new();
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
        BinaryPrimitives.WriteUInt32LittleEndian(_body.GetSpan(sizeof(uint)), value);
        _body.Advance(sizeof(uint));
    }

    private void Option(ushort code, ReadOnlySpan<byte> value)
    {
        Number(code | ((uint)value.Length << 16));
        Padded(value);
    }

    private void Padded(ReadOnlySpan<byte> data)
    {
        _body.Write(data);
        while (_body.WrittenCount % sizeof(uint) != 0)
            _body.Write("\0"u8);
    }

    /// <summary>One write a block: a reader that follows never sees half of one for long.</summary>
    private void Finish(uint type)
    {
        var length = _body.WrittenCount + 12;
        var block = new byte[length];
        BinaryPrimitives.WriteUInt32LittleEndian(block, type);
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(4), length);
        _body.WrittenSpan.CopyTo(block.AsSpan(8));
        BinaryPrimitives.WriteInt32LittleEndian(block.AsSpan(length - 4), length);
        _body.ResetWrittenCount();
        output.Write(block);
    }
}
