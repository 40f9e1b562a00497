using System.Buffers;

namespace Crashcart.Cli.Output;

/// <summary>
/// Puts the output of many targets on one standard output and one standard error as whole lines, each behind its target's
/// label, with the bytes as they came; on a terminal as <see cref="TerminalLine"/> has them. A line longer than <see cref="LongestHeldLine"/> is written as it comes; should
/// another target have something to say meanwhile, it is broken, and goes on behind a <c>+</c>.
/// </summary>
internal sealed class LineOutput(
    Stream output, Stream error, TargetLabels labels, bool outputIsTerminal = false, bool errorIsTerminal = false)
{
    /// <summary>Bytes; with the number of targets it bounds the memory that unfinished lines take.</summary>
    public const int LongestHeldLine = 64 * 1024;

    private readonly Dictionary<(int Target, bool Error), Line> _lines = [];
    private readonly ArrayBufferWriter<byte> _ready = new();

    // The one line that stands unfinished on the outputs, which may be the same terminal.
    private Line? _open;

    public void Write(int target, bool isError, ReadOnlySpan<byte> data)
    {
        var line = LineOf(target, isError);
        while (!data.IsEmpty)
        {
            var newline = data.IndexOf((byte)'\n');
            var part = newline < 0 ? data : data[..(newline + 1)];
            data = data[part.Length..];
            if (newline < 0 && line != _open && line.Held.WrittenCount + part.Length <= LongestHeldLine)
            {
                line.Held.Write(part);
                break;
            }

            Begin(line);
            Put(line, line.Held.WrittenSpan);
            line.Held.ResetWrittenCount();
            Put(line, part);
            if (newline >= 0)
                Finish(line);
        }

        Flush(isError);
    }

    /// <summary>Ends the lines that the target left unfinished.</summary>
    public void Complete(int target)
    {
        foreach (var isError in (ReadOnlySpan<bool>)[false, true])
        {
            if (!_lines.Remove((target, isError), out var line) || (line != _open && line.Held.WrittenCount == 0))
                continue;
            Begin(line);
            Put(line, line.Held.WrittenSpan);
            Put(line, "\n"u8);
            Finish(line);
            Flush(isError);
        }
    }

    private Line LineOf(int target, bool isError)
    {
        if (!_lines.TryGetValue((target, isError), out var line))
            _lines.Add((target, isError), line = new Line(target, isError));
        return line;
    }

    private void Begin(Line line)
    {
        if (line == _open)
            return;
        if (_open is { } other)
        {
            other.IsBroken = true;
            if (other.IsError == line.IsError)
                _ready.Write("\n"u8);
            else
                StreamOf(other.IsError).Write("\n"u8);
        }

        _ready.Write(labels.Prefix(line.Target, line.IsError, line.IsBroken));
        _open = line;
    }

    private void Put(Line line, ReadOnlySpan<byte> data)
    {
        if (line.IsError ? errorIsTerminal : outputIsTerminal)
            line.OnTerminal.Write(data, _ready);
        else
            _ready.Write(data);
    }

    private void Finish(Line line)
    {
        line.IsBroken = false;
        _open = null;
    }

    private void Flush(bool isError)
    {
        StreamOf(isError).Write(_ready.WrittenSpan);
        _ready.ResetWrittenCount();
    }

    private Stream StreamOf(bool isError) => isError ? error : output;

    private sealed class Line(int target, bool isError)
    {
        public int Target { get; } = target;

        public bool IsError { get; } = isError;

        /// <summary>What came of a line that is not finished, and is not yet written.</summary>
        public ArrayBufferWriter<byte> Held { get; } = new();

        public TerminalLine OnTerminal { get; } = new();

        /// <summary>The line's beginning was written and then broken off.</summary>
        public bool IsBroken { get; set; }
    }
}
