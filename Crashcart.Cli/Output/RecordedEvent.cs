using System.Text;
using System.Text.Json;
using Crashcart.Native;

namespace Crashcart.Cli.Output;

/// <summary>One line of a recording after its first.</summary>
/// <param name="At">From the session's start.</param>
/// <param name="Stream">stdout, stderr, stdin; empty: it is about something else.</param>
internal sealed record RecordedEvent(TimeSpan At, string Stream, byte[] Data)
{
    /// <exception cref="CrashcartException">It is none.</exception>
    public static RecordedEvent Parse(ReadOnlyMemory<byte> line)
    {
        try
        {
            using var document = JsonDocument.Parse(line);
            var (at, code, data) = (document.RootElement[0].GetDouble(), document.RootElement[1].GetString(), document.RootElement[2]);
            var time = TimeSpan.FromSeconds(Math.Clamp(at, 0, TimeSpan.FromDays(365).TotalSeconds));
            return code switch
            {
                "o" => new RecordedEvent(time, "stdout", Encoding.UTF8.GetBytes(data.GetString()!)),
                "i" => new RecordedEvent(time, "stdin", Encoding.UTF8.GetBytes(data.GetString()!)),
                "stdout" or "stderr" or "stdin" => new RecordedEvent(time, code, data.GetBytesFromBase64()),
                _ => new RecordedEvent(time, "", []),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException or IndexOutOfRangeException)
        {
            throw new CrashcartException(FailureReason.BadRequest, "The recording has a line that is no event: it was altered, or another version wrote it.", e);
        }
    }
}
