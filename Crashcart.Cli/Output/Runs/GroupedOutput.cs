using System.Buffers;
using System.Globalization;
using System.Text;
using Crashcart.Native;

namespace Crashcart.Cli.Output.Runs;

/// <summary>
/// Targets that wrote the same and ended the same are one group: its names, and what each wrote, once. Shown when the run is
/// over, the largest group first.
/// </summary>
/// <param name="differences">Smaller groups show only how their output differs from the largest group's.</param>
internal sealed class GroupedOutput(
    Stream output, Stream error, bool outputIsTerminal, bool errorIsTerminal, bool differences) : IRunOutput, IDisposable
{
    private readonly Dictionary<int, Written> _open = [];
    private readonly Dictionary<(string Output, string Error, string End), Group> _groups = [];

    public void Add(IReadOnlyList<TargetCourse> targets)
    {
    }

    public void Write(TargetCourse target, bool isError, ReadOnlySpan<byte> data)
    {
        var written = WrittenBy(target);
        (isError ? written.Error : written.Output).Write(data);
    }

    public void End(TargetCourse target)
    {
        var written = WrittenBy(target);
        _open.Remove(target.Number);
        var key = (written.Output.Digest(), written.Error.Digest(), EndOf(target));
        if (_groups.TryGetValue(key, out var group))
            written.Dispose();
        else
            _groups.Add(key, group = new Group(written, key.Item3));
        group.Names.Add(target.Name);
    }

    public void Finish(RunProgress run, int status)
    {
        var groups = _groups.Values.OrderByDescending(group => group.Names.Count).ThenBy(group => group.Names[0], StringComparer.Ordinal).ToList();
        foreach (var group in groups)
        {
            output.Write(Encoding.UTF8.GetBytes(Heading(group)));
            if (differences && group != groups[0])
            {
                var lines = OutputDiff.Between(groups[0].Written.Output, group.Written.Output);
                Show(lines, output, outputIsTerminal);
            }
            else
            {
                Show(group.Written.Output, output, outputIsTerminal);
            }

            Show(group.Written.Error, error, errorIsTerminal);
        }
    }

    public void Dispose()
    {
        foreach (var written in _open.Values.Concat(_groups.Values.Select(group => group.Written)))
            written.Dispose();
    }

    private Written WrittenBy(TargetCourse target)
    {
        if (!_open.TryGetValue(target.Number, out var written))
            _open.Add(target.Number, written = new Written());
        return written;
    }

    private static string EndOf(TargetCourse target) => target switch
    {
        { GoesOn: true } => "running",
        { Failure: { } failure } => SafeText.Of(failure),
        _ => string.Create(CultureInfo.InvariantCulture, $"exit status {target.ExitCode}"),
    };

    private static string Heading(Group group)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture, $"{NameFold.Of(group.Names)} ({group.Names.Count}){(group.End == "exit status 0" ? "" : ": " + group.End)}");
        return $"--- {text}\n";
    }

    private static void Show(Spool spool, Stream to, bool isTerminal)
    {
        byte last = (byte)'\n';
        var terminal = new TerminalLine();
        var safe = new ArrayBufferWriter<byte>();
        spool.CopyTo(piece =>
        {
            if (piece.IsEmpty)
                return;
            last = piece[^1];
            if (isTerminal)
            {
                safe.ResetWrittenCount();
                terminal.Write(piece, safe);
                piece = safe.WrittenSpan;
            }

            to.Write(piece);
        });
        if (last != (byte)'\n')
            to.Write("\n"u8);
    }

    private static void Show(byte[] text, Stream to, bool isTerminal)
    {
        using var spool = new Spool();
        spool.Write(text);
        Show(spool, to, isTerminal);
    }

    private sealed record Group(Written Written, string End)
    {
        public List<string> Names { get; } = [];
    }

    private sealed class Written : IDisposable
    {
        public Spool Output { get; } = new();

        public Spool Error { get; } = new();

        public void Dispose()
        {
            Output.Dispose();
            Error.Dispose();
        }
    }
}
