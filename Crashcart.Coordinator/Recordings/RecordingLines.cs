using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Crashcart.Coordinator.Recordings;

internal enum RecordedStream
{
    Output,
    Error,
    Input,
}

/// <summary>
/// Events as lines: a terminal's as asciicast has them, in which what is no UTF-8 is replaced; the others' as JSON of the same shape, with the bytes in
/// base64. A character that comes in two frames is written when it is whole.
/// </summary>
internal sealed class RecordingLines(bool isTerminal)
{
    private readonly ArrayBufferWriter<byte> _lines = new();
    private readonly Dictionary<RecordedStream, Decoder> _decoders = [];

    /// <summary>What was added since the last <see cref="Clear"/>.</summary>
    public ReadOnlyMemory<byte> Written => _lines.WrittenMemory;

    public void Clear() => _lines.ResetWrittenCount();

    public void Add(TimeSpan at, RecordedStream stream, ReadOnlySpan<byte> bytes)
    {
        if (isTerminal)
            AddText(at, stream, bytes, isLast: false);
        else
            AddBytes(at, Code(stream), bytes);
    }

    public void AddResize(TimeSpan at, WindowCells size) => AddText(at, "r", size.ToString());

    /// <summary>The last line: beginnings of characters that never came whole, and how it ended.</summary>
    public void AddEnd(TimeSpan at, string how)
    {
        foreach (RecordedStream stream in _decoders.Keys)
            AddText(at, stream, [], isLast: true);
        AddText(at, "m", how);
    }

    private void AddText(TimeSpan at, RecordedStream stream, ReadOnlySpan<byte> bytes, bool isLast)
    {
        if (!_decoders.TryGetValue(stream, out Decoder? decoder))
            _decoders[stream] = decoder = Encoding.UTF8.GetDecoder();
        char[] text = ArrayPool<char>.Shared.Rent(Encoding.UTF8.GetMaxCharCount(bytes.Length + 4));
        int length = decoder.GetChars(bytes, text, isLast);
        if (length > 0)
            AddText(at, Code(stream), text.AsSpan(0, length));
        ArrayPool<char>.Shared.Return(text);
    }

    private void AddText(TimeSpan at, string code, ReadOnlySpan<char> text)
    {
        using var json = new Utf8JsonWriter(_lines, RecordingHeader.Json);
        Begin(json, at, code);
        json.WriteStringValue(text);
        End(json);
    }

    private void AddBytes(TimeSpan at, string code, ReadOnlySpan<byte> bytes)
    {
        using var json = new Utf8JsonWriter(_lines, RecordingHeader.Json);
        Begin(json, at, code);
        json.WriteBase64StringValue(bytes);
        End(json);
    }

    private static void Begin(Utf8JsonWriter json, TimeSpan at, string code)
    {
        json.WriteStartArray();
        // Microseconds are what the format's own recorder writes.
        json.WriteNumberValue(Math.Round((decimal)at.Ticks / TimeSpan.TicksPerSecond, 6));
        json.WriteStringValue(code);
    }

    private void End(Utf8JsonWriter json)
    {
        json.WriteEndArray();
        json.Flush();
        _lines.Write("\n"u8);
    }

    private string Code(RecordedStream stream) => (isTerminal, stream) switch
    {
        (true, RecordedStream.Input) => "i",
        (true, _) => "o",
        (false, RecordedStream.Output) => "stdout",
        (false, RecordedStream.Error) => "stderr",
        (false, _) => "stdin",
    };
}
