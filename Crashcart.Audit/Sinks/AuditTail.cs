using System.Text.Json;
using Microsoft.Win32.SafeHandles;

namespace Crashcart.Audit.Sinks;

/// <param name="Before">What the first of the lines names as the one before it.</param>
/// <param name="Lines">In their order; their bytes are good until more are asked for.</param>
/// <param name="End">The last of them.</param>
internal sealed record AuditBatch(AuditLink Before, IReadOnlyList<ReadOnlyMemory<byte>> Lines, AuditLink End);

/// <summary>Reads a log on from a line, while it is written. What <c>head</c> does not tell of yet may still be taken back, and is not read.</summary>
internal sealed class AuditTail(AuditDirectory directory) : IDisposable
{
    private byte[] _buffer = new byte[256 << 10];
    private SafeFileHandle? _file;
    private long _offset;

    /// <summary>Number of the line at the offset.</summary>
    private long _next;

    /// <summary>Number of the file's first line.</summary>
    private long _first;

    /// <param name="sent">Null: from the oldest line that there is.</param>
    /// <returns>Null when there is nothing more. When lines after <paramref name="sent"/> are gone, those that come then.</returns>
    /// <exception cref="IOException">The log cannot be read, or is damaged.</exception>
    public AuditBatch? Read(AuditLink? sent)
    {
        if (directory.ReadHead() is not { } head || head.Number == sent?.Number)
            return null;
        // The log was begun anew, or an older state of it was put back.
        if (head.Number < sent?.Number)
            sent = null;
        if ((_file is null || _next != sent?.Number + 1) && !Seek(sent?.Number + 1 ?? 0))
            return null;
        return Lines(head) ?? (NextFile() ? Lines(head) : null);
    }

    /// <summary>Looks anew at which files there are: one that is held open may have been dropped.</summary>
    public void Forget()
    {
        _file?.Dispose();
        _file = null;
    }

    public void Dispose() => Forget();

    /// <returns>False when there are no lines.</returns>
    private bool Seek(long number)
    {
        IReadOnlyList<AuditFile> files = directory.Files();
        if (files.Count == 0)
            return false;
        Open(files.LastOrDefault(file => file.First <= number) ?? files[0]);
        while (_next < number && Fill() is > 0 and var length && Cut(length, number - _next) is { Count: > 0 } passed)
            Pass(passed);
        return true;
    }

    private bool NextFile()
    {
        if (directory.Files().FirstOrDefault(file => file.First >= _next && file.First > _first) is not { } file)
            return false;
        Open(file);
        return true;
    }

    private void Open(AuditFile file)
    {
        SafeFileHandle opened = AuditDirectory.OpenToRead(file);
        _file?.Dispose();
        (_file, _offset, _next, _first) = (opened, 0, file.First, file.First);
    }

    private AuditBatch? Lines(AuditLink head)
    {
        if (head.Number < _next || Cut(Fill(), head.Number - _next + 1) is not { Count: > 0 } lines)
            return null;
        using JsonDocument first = AuditLine.Parse(lines[0]) ?? throw new IOException($"Line {_next} in {directory.Path} is no line of an audit log; 'crashcart audit verify' says more");
        var before = new AuditLink(_next - 1, AuditLine.Text(first.RootElement, "prev"));
        Pass(lines);
        return new AuditBatch(before, lines, AuditLink.Of(_next - 1, lines[^1].Span));
    }

    private void Pass(List<ReadOnlyMemory<byte>> lines)
    {
        _next += lines.Count;
        _offset += lines.Sum(line => line.Length + 1L);
    }

    /// <returns>How many bytes are in the buffer; at least one whole line, if the file has one.</returns>
    private int Fill()
    {
        int length = 0;
        while (true)
        {
            int read = RandomAccess.Read(_file!, _buffer.AsSpan(length), _offset + length);
            length += read;
            if (read == 0 && length < _buffer.Length)
                return length;
            if (length < _buffer.Length)
                continue;
            if (_buffer.AsSpan().Contains(AuditLine.End))
                return length;
            if (_buffer.Length > AuditLine.Longest)
                throw new IOException($"Line {_next} in {directory.Path} has no end; 'crashcart audit verify' says more");
            Array.Resize(ref _buffer, _buffer.Length * 2);
        }
    }

    /// <summary>The whole lines at the beginning of the buffer.</summary>
    private List<ReadOnlyMemory<byte>> Cut(int length, long most)
    {
        var lines = new List<ReadOnlyMemory<byte>>();
        int start = 0;
        while (lines.Count < most && _buffer.AsSpan(start, length - start).IndexOf(AuditLine.End) is >= 0 and var size)
        {
            lines.Add(_buffer.AsMemory(start, size));
            start += size + 1;
        }
        return lines;
    }
}
