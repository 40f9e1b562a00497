namespace Crashcart.Audit;

/// <param name="IsWhole">It ends with a newline, and is not longer than lines are.</param>
internal readonly record struct AuditBytes(ReadOnlyMemory<byte> Bytes, bool IsWhole);

/// <summary>The lines of a file, one at a time. A line's bytes are good until the next one is asked for.</summary>
internal sealed class AuditLineReader(Stream stream)
{
    private byte[] _buffer = new byte[64 << 10];
    private int _start, _end;

    /// <summary>Null at the end.</summary>
    public AuditBytes? Next()
    {
        int searched = 0;
        while (true)
        {
            int at = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf(AuditLine.End);
            if (at >= 0)
                return Take(searched + at, 1, isWhole: true);
            searched = _end - _start;
            if (searched >= AuditLine.Longest)
                return Take(searched, 0, isWhole: false);
            if (!Fill())
                return searched == 0 ? null : Take(searched, 0, isWhole: false);
        }
    }

    private AuditBytes Take(int length, int end, bool isWhole)
    {
        var line = new AuditBytes(_buffer.AsMemory(_start, length), isWhole);
        _start += length + end;
        return line;
    }

    private bool Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }
        if (_end == _buffer.Length)
            Array.Resize(ref _buffer, _buffer.Length * 2);
        int read = stream.Read(_buffer, _end, _buffer.Length - _end);
        _end += read;
        return read > 0;
    }
}
