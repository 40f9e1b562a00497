using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Crashcart.Cli.Output.Runs;

/// <summary>
/// For programs: one JSON object a line, each with a <c>type</c>: target, output, exit, run. Output is text where it is UTF-8, and base64
/// where it is not; both together, in order, are the exact bytes.
/// </summary>
internal sealed class JsonRunOutput(Stream output) : IRunOutput
{
    private readonly Dictionary<(int Target, bool IsError), byte[]> _tails = [];
    private readonly ArrayBufferWriter<byte> _buffer = new();

    public void Add(IReadOnlyList<TargetCourse> targets)
    {
        foreach (var target in targets)
            Line("target", target, _ => { });
    }

    public void Write(TargetCourse target, bool isError, ReadOnlySpan<byte> data)
    {
        _tails.Remove((target.Number, isError), out var tail);
        byte[] piece = [.. tail ?? [], .. data];
        var whole = piece.Length - LengthOfUnfinishedCharacter(piece);
        if (whole < piece.Length)
            _tails[(target.Number, isError)] = piece[whole..];
        if (whole > 0)
            Data(target, isError, piece.AsSpan(0, whole));
    }

    public void End(TargetCourse target)
    {
        foreach (var isError in (ReadOnlySpan<bool>)[false, true])
        {
            if (_tails.Remove((target.Number, isError), out var tail))
                Data(target, isError, tail);
        }

        Line("exit", target, json =>
        {
            if (target.GoesOn)
                json.WriteBoolean("running", true);
            else
                json.WriteNumber("exit_code", target.ExitCode);
            if (target.Failure is { } failure)
                json.WriteString("failure", failure);
            if (target.Note.Length > 0)
                json.WriteString("reason", target.Note);
            json.WriteNumber("seconds", Math.Round(target.Took(target.Ended!.Value).TotalSeconds, 3));
        });
    }

    public void Finish(RunProgress run, int status) => Line("run", target: null, json =>
    {
        json.WriteString("run_id", run.RunId);
        json.WriteNumber("exit_code", status);
        json.WriteNumber("targets", run.Targets.Count);
        json.WriteNumber("failed", run.Targets.Count(target => !target.IsWell));
    });

    private void Data(TargetCourse target, bool isError, ReadOnlySpan<byte> data)
    {
        var bytes = data.ToArray();
        Line("output", target, json =>
        {
            json.WriteString("stream", isError ? "stderr" : "stdout");
            if (System.Text.Unicode.Utf8.IsValid(bytes))
                json.WriteString("text", bytes);
            else
                json.WriteBase64String("base64", bytes);
        });
    }

    private void Line(string type, TargetCourse? target, Action<Utf8JsonWriter> write)
    {
        _buffer.ResetWrittenCount();
        using (var json = new Utf8JsonWriter(_buffer))
        {
            json.WriteStartObject();
            json.WriteString("type", type);
            if (target is not null)
            {
                json.WriteString("node", target.Node);
                json.WriteString("container", target.Container);
                // A container that was restarted is another target of the same name.
                json.WriteNumber("target", target.Number);
            }

            write(json);
            json.WriteEndObject();
        }

        _buffer.Write("\n"u8);
        output.Write(_buffer.WrittenSpan);
    }

    /// <summary>Of a character of UTF-8 that may go on in the next piece: 0 to 3 bytes.</summary>
    private static int LengthOfUnfinishedCharacter(ReadOnlySpan<byte> data)
    {
        for (var length = 1; length <= Math.Min(3, data.Length); length++)
        {
            var rest = data[^length..];
            if (Rune.DecodeFromUtf8(rest, out _, out _) == OperationStatus.NeedMoreData)
                return length;
        }

        return 0;
    }
}
