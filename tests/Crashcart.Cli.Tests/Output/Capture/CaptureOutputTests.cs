using System.Buffers.Binary;
using System.Text;
using Crashcart.Api;
using Crashcart.Cli.Output.Capture;
using Crashcart.Cli.Output.Runs;

namespace Crashcart.Cli.Tests.Output.Capture;

public sealed class CaptureOutputTests : IDisposable
{
    private const ushort LinuxCooked = 276;

    private readonly MemoryStream _output = new();
    private readonly MemoryStream _words = new();
    private readonly StringBuilder _told = new();
    private readonly SettableTime _time = new();
    private readonly RunProgress _run = new(TimeProvider.System);
    private readonly CaptureOutput _capture;

    public CaptureOutputTests() => _capture = new CaptureOutput(() => _output, new RawOutput(Stream.Null, _words), text => _told.Append(text), _time);

    public void Dispose()
    {
        _capture.Dispose();
        _output.Dispose();
        _words.Dispose();
    }

    [Fact]
    public void Each_container_is_an_interface_and_packets_are_in_the_order_of_their_times()
    {
        Begin("a", "b");
        Write(0, [.. Header(), .. Packet(seconds: 1, micros: 500_000, "first"), .. Packet(3, 0, "third")]);
        Write(1, [.. Header(), .. Packet(2, 0, "second")]);
        _capture.Finish(_run, 0);

        var blocks = Blocks();
        Assert.Equal([0x0A0D0D0Au, 1, 1, 6, 6, 6], blocks.Select(block => block.Type));
        Assert.Contains("n/a", Encoding.UTF8.GetString(blocks[1].Body), StringComparison.Ordinal);
        Assert.Equal(LinuxCooked, BinaryPrimitives.ReadUInt16LittleEndian(blocks[1].Body));
        Assert.Equal([(0u, "first"), (1u, "second"), (0u, "third")], blocks.Where(block => block.Type == 6).Select(Describe));
        Assert.Equal(1_500_000_000ul, TimeOf(blocks[3]));
    }

    [Fact]
    public void A_capture_may_come_a_byte_at_a_time()
    {
        Begin("a");
        foreach (var b in (byte[])[.. Header(), .. Packet(1, 0, "slow")])
            Write(0, [b]);
        _capture.Finish(_run, 0);
        Assert.Equal((0u, "slow"), Describe(Blocks()[^1]));
    }

    [Fact]
    public void A_capture_of_a_big_endian_host_with_nanoseconds_is_understood()
    {
        byte[] header = [0xa1, 0xb2, 0x3c, 0x4d, 0, 2, 0, 4, .. new byte[8], 0, 4, 0, 0, 0, 0, 0, 1];
        Begin("a");
        Write(0, [.. header, 0, 0, 0, 1, 0, 0, 0, 7, 0, 0, 0, 2, 0, 0, 0, 60, (byte)'b', (byte)'e']);
        _capture.Finish(_run, 0);
        Assert.Equal((0u, "be"), Describe(Blocks()[^1]));
        Assert.Equal(1_000_000_007ul, TimeOf(Blocks()[^1]));
    }

    [Fact]
    public void A_packet_waits_half_a_second_for_older_ones_and_no_longer()
    {
        Begin("a");
        Write(0, [.. Header(), .. Packet(1, 0, "now")]);
        _time.Now += PacketOrder.Window - TimeSpan.FromMilliseconds(1);
        _capture.Tick();
        Assert.DoesNotContain(6u, Blocks().Select(block => block.Type));
        _time.Now += TimeSpan.FromMilliseconds(1);
        _capture.Tick();
        Assert.Contains(6u, Blocks().Select(block => block.Type));
    }

    [Fact]
    public void What_waits_is_bounded()
    {
        Begin("a");
        var packet = Packet(1, 0, new string('x', 200_000));
        Write(0, Header());
        for (var n = 0; n < 200; n++)
            Write(0, packet);
        Assert.InRange(_output.Length, 200 * 200_000 - 18_000_000, 200 * 201_000);
    }

    [Theory]
    [InlineData("this is no capture at all")]
    [InlineData("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0")]
    public void What_is_no_capture_is_told_and_harms_no_other(string data)
    {
        Begin("a", "b");
        Write(0, Encoding.UTF8.GetBytes(data));
        Write(0, Encoding.UTF8.GetBytes(data));
        Write(1, [.. Header(), .. Packet(1, 0, "well")]);
        _capture.Finish(_run, 0);
        Assert.Equal("crashcart: n/a: what came is no capture: it does not begin as a capture does; nothing more of it is read.\n", _told.ToString());
        Assert.Equal((0u, "well"), Describe(Blocks()[^1]));
    }

    [Fact]
    public void A_packet_that_claims_to_be_huge_is_told()
    {
        Begin("a");
        Write(0, [.. Header(), .. new byte[8], 0xff, 0xff, 0xff, 0x7f, 0, 0, 0, 0]);
        Assert.Contains("a packet says that it has 2147483647 bytes", _told.ToString(), StringComparison.Ordinal);
    }

    private void Begin(params string[] containers) => _capture.Add(_run.Add(containers.Select(name => new Container { Node = "n", Name = name })));

    private void Write(int target, byte[] data) => _capture.Write(_run[target], isError: false, data);

    private static byte[] Header() => [0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0, .. new byte[8], 0, 0, 4, 0, 0x14, 1, 0, 0];

    private static byte[] Packet(uint seconds, uint micros, string text) =>
        [.. Number(seconds), .. Number(micros), .. Number((uint)text.Length), .. Number((uint)text.Length), .. Encoding.UTF8.GetBytes(text)];

    private static byte[] Number(uint value) => BitConverter.GetBytes(value);

    private static (uint Interface, string Data) Describe((uint Type, byte[] Body) block)
    {
        var length = BinaryPrimitives.ReadInt32LittleEndian(block.Body.AsSpan(12));
        return (BinaryPrimitives.ReadUInt32LittleEndian(block.Body), Encoding.UTF8.GetString(block.Body, 20, length));
    }

    private static ulong TimeOf((uint Type, byte[] Body) block) =>
        ((ulong)BinaryPrimitives.ReadUInt32LittleEndian(block.Body.AsSpan(4)) << 32) | BinaryPrimitives.ReadUInt32LittleEndian(block.Body.AsSpan(8));

    private List<(uint Type, byte[] Body)> Blocks()
    {
        var data = _output.ToArray();
        var blocks = new List<(uint, byte[])>();
        for (var at = 0; at < data.Length;)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(at + 4));
            Assert.Equal(0, length % 4);
            Assert.Equal(length, BinaryPrimitives.ReadInt32LittleEndian(data.AsSpan(at + length - 4)));
            blocks.Add((BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(at)), data[(at + 8)..(at + length - 4)]));
            at += length;
        }

        return blocks;
    }

    private sealed class SettableTime : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
