using System.Buffers;

namespace Crashcart.Cli.Output;

/// <summary>
/// One target's output on its way to a terminal that shows many targets', a line at a time behind its label. Colours pass, as
/// in <c>less -R</c>; whatever else moves the cursor is shown as <c>^X</c>, or a target could write over another's label.
/// </summary>
internal sealed class TerminalLine
{
    private const byte Escape = 0x1B;
    private const int LongestColour = 32;

    // What began like a colour, or like a character of two bytes that may be a control character.
    private readonly List<byte> _pending = [];

    public void Write(ReadOnlySpan<byte> data, IBufferWriter<byte> to)
    {
        foreach (var b in data)
        {
            if (_pending.Count > 0)
                Continue(b, to);
            else
                Begin(b, to);
        }
    }

    private void Begin(byte b, IBufferWriter<byte> to)
    {
        // After CR comes LF, or it is shown; U+0080 to U+009F are control characters, and begin with C2.
        if (b is Escape or (byte)'\r' or 0xC2)
            _pending.Add(b);
        else
            Show(b, to);
    }

    private void Continue(byte b, IBufferWriter<byte> to)
    {
        var first = _pending[0];
        if (first == 0xC2)
        {
            if (b is >= 0x80 and < 0xA0)
                Drop("\uFFFD"u8, to);
            else
                Reconsider(b, to, _pending[0]);
        }
        else if (first == Escape && IsColour(b))
        {
            _pending.Add(b);
            if (b != 'm')
                return;
            Drop([.. _pending], to);
        }
        else if (first == '\r' && b == '\n')
        {
            Drop("\n"u8, to);
        }
        else
        {
            Reconsider(b, to);
        }
    }

    private bool IsColour(byte b) => _pending.Count == 1
        ? b == '['
        : _pending.Count < LongestColour && b is (>= (byte)'0' and <= (byte)'9') or (byte)';' or (byte)':' or (byte)'m';

    /// <summary>It was not what it began like.</summary>
    private void Reconsider(byte b, IBufferWriter<byte> to, byte? asItIs = null)
    {
        byte[] pending = [.. _pending];
        _pending.Clear();
        foreach (var earlier in pending)
        {
            if (earlier == asItIs)
                to.Write([earlier]);
            else
                Show(earlier, to);
        }
        Begin(b, to);
    }

    private void Drop(ReadOnlySpan<byte> instead, IBufferWriter<byte> to)
    {
        _pending.Clear();
        to.Write(instead);
    }

    private static void Show(byte b, IBufferWriter<byte> to)
    {
        if (b is >= 0x20 and not 0x7F or (byte)'\t' or (byte)'\n')
            to.Write([b]);
        else
            to.Write([(byte)'^', (byte)(b ^ 0x40)]);
    }
}
