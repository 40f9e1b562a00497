using System.Text;

namespace Crashcart.Cli.Copy;

/// <summary>The 512 bytes before each entry of a tar archive, as POSIX's pax(1) has them under "ustar Interchange Format".</summary>
internal static class ArchiveHeader
{
    public const int BlockSize = 512;

    public const byte File = (byte)'0';
    public const byte HardLink = (byte)'1';
    public const byte Link = (byte)'2';
    public const byte CharacterDevice = (byte)'3';
    public const byte BlockDevice = (byte)'4';
    public const byte Directory = (byte)'5';
    public const byte Fifo = (byte)'6';

    /// <summary>Records about the next entry.</summary>
    public const byte Extended = (byte)'x';

    /// <summary>Records about all entries that follow.</summary>
    public const byte Global = (byte)'g';

    public static readonly Field Name = new(0, 100);
    public static readonly Field Mode = new(100, 8);
    public static readonly Field Owner = new(108, 8);
    public static readonly Field Group = new(116, 8);
    public static readonly Field Size = new(124, 12);
    public static readonly Field Modified = new(136, 12);
    public static readonly Field Checksum = new(148, 8);
    public static readonly Field Type = new(156, 1);
    public static readonly Field LinkName = new(157, 100);
    public static readonly Field Magic = new(257, 8);
    public static readonly Field Prefix = new(345, 155);

    public static ReadOnlySpan<byte> MagicText => "ustar\000"u8;

    /// <summary>From the content's end to the next header.</summary>
    public static int PaddingAfter(long length) => (int)(-length & (BlockSize - 1));

    public static byte[] Text(ReadOnlySpan<byte> block, Field field)
    {
        var text = field.Of(block);
        var end = text.IndexOf((byte)0);
        return (end < 0 ? text : text[..end]).ToArray();
    }

    /// <exception cref="InvalidDataException">It is no number that fits.</exception>
    public static long Number(ReadOnlySpan<byte> block, Field field)
    {
        var text = field.Of(block);
        if ((text[0] & 0x80) != 0)
            return Base256(text);
        var number = 0L;
        foreach (var b in Trimmed(text))
            number = b is >= (byte)'0' and <= (byte)'7' ? (number << 3) + (b - '0') : throw Corrupt("a number in it is none");
        return number;
    }

    /// <summary>As octal digits; a number that is too large is 0, and stands in a record instead.</summary>
    public static void SetNumber(Span<byte> block, Field field, long number)
    {
        var digits = Convert.ToString(number, 8);
        Encoding.ASCII.GetBytes((number < 0 || digits.Length >= field.Length ? "0" : digits).PadLeft(field.Length - 1, '0'), field.Of(block));
    }

    /// <summary>The sum of all bytes, with spaces in the place of the sum itself.</summary>
    public static int ChecksumOf(ReadOnlySpan<byte> block)
    {
        var sum = Checksum.Length * ' ';
        for (var at = 0; at < BlockSize; at++)
            sum += at >= Checksum.Start && at < Checksum.Start + Checksum.Length ? 0 : block[at];
        return sum;
    }

    public static InvalidDataException Corrupt(string why) => new($"what came is no tar archive: {why}");

    private static ReadOnlySpan<byte> Trimmed(ReadOnlySpan<byte> text) => text.Trim([(byte)' ', (byte)0]);

    // GNU's and star's: two's complement, the first bit apart.
    private static long Base256(ReadOnlySpan<byte> text)
    {
        var number = (text[0] & 0x40) != 0 ? -1L : 0L;
        number = (number << 6) | (uint)(text[0] & 0x3f);
        foreach (var b in text[1..])
        {
            if (number is > (long.MaxValue >> 8) or < (long.MinValue >> 8))
                throw Corrupt("a number in it is too large");
            number = (number << 8) | b;
        }

        return number;
    }

    /// <summary>Where something stands in the block.</summary>
    internal readonly record struct Field(int Start, int Length)
    {
        public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> block) => block.Slice(Start, Length);

        public Span<byte> Of(Span<byte> block) => block.Slice(Start, Length);
    }
}
