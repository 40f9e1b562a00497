using System.Text;
using Crashcart.Api;
using Crashcart.Cli.Output;

namespace Crashcart.Cli.Tests.Output;

public sealed class LineOutputTests : IDisposable
{
    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();
    private readonly LineOutput _lines;

    public LineOutputTests() => _lines = new LineOutput(_output, _error, Labels(colour: false));

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
    }

    [Fact]
    public void Lines_stand_whole_and_aligned_behind_their_target()
    {
        Write(0, "one\ntw");
        Write(1, "eins\n");
        Write(0, "o\n");
        Assert.Equal("a/web  | one\nb/x    | eins\na/web  | two\n", Text(_output));
    }

    [Fact]
    public void Output_and_error_keep_to_their_own_streams()
    {
        Write(0, "out\n");
        _lines.Write(0, isError: true, "err\n"u8);
        Assert.Equal("a/web  | out\n", Text(_output));
        Assert.Equal("a/web  | err\n", Text(_error));
    }

    [Fact]
    public void Bytes_that_are_no_text_are_kept()
    {
        _lines.Write(1, isError: false, [0, 0xff, (byte)'\r', 0xc3, (byte)'\n', (byte)'\n']);
        Assert.Equal([.. "b/x    | "u8, 0, 0xff, (byte)'\r', 0xc3, (byte)'\n', .. "b/x    | \n"u8], _output.ToArray());
    }

    [Fact]
    public void An_unfinished_line_is_ended_with_its_target()
    {
        Write(0, "no newline");
        _lines.Write(0, isError: true, "nor here"u8);
        Assert.Equal("", Text(_output));
        _lines.Complete(0);
        _lines.Complete(0);
        Assert.Equal("a/web  | no newline\n", Text(_output));
        Assert.Equal("a/web  | nor here\n", Text(_error));
    }

    [Fact]
    public void A_very_long_line_passes_through_unbroken_while_nobody_else_speaks()
    {
        var piece = new string('x', LineOutput.LongestHeldLine);
        for (var i = 0; i < 5; i++)
            Write(0, piece);
        Assert.Equal(5 * piece.Length + "a/web  | ".Length, _output.Length);
        Write(0, "end\n");
        Assert.Equal($"a/web  | {string.Concat(Enumerable.Repeat(piece, 5))}end\n", Text(_output));
    }

    [Fact]
    public void A_very_long_line_is_broken_and_marked_when_somebody_else_speaks()
    {
        var piece = new string('x', LineOutput.LongestHeldLine + 1);
        Write(0, piece);
        Write(1, "hello\n");
        Write(0, "rest\nnext\n");
        Assert.Equal($"a/web  | {piece}\nb/x    | hello\na/web  + rest\na/web  | next\n", Text(_output));
    }

    [Fact]
    public void A_very_long_line_is_broken_for_the_other_stream_too()
    {
        var piece = new string('x', LineOutput.LongestHeldLine + 1);
        Write(0, piece);
        _lines.Write(0, isError: true, "oops\n"u8);
        _lines.Complete(0);
        Assert.Equal($"a/web  | {piece}\n", Text(_output));
        Assert.Equal("a/web  | oops\n", Text(_error));
    }

    [Fact]
    public void On_a_terminal_no_target_writes_over_anothers_label()
    {
        var lines = new LineOutput(_output, _error, Labels(colour: false), outputIsTerminal: true);
        lines.Write(0, isError: false, "\rb/x    | forged\n"u8);
        lines.Write(0, isError: true, "\rexact\n"u8);
        Assert.Equal("a/web  | ^Mb/x    | forged\n", Text(_output));
        Assert.Equal("a/web  | \rexact\n", Text(_error));
    }

    [Fact]
    public void Colour_ends_before_the_tool_s_bytes()
    {
        var lines = new LineOutput(_output, _error, Labels(colour: true));
        lines.Write(0, isError: false, "x\n"u8);
        lines.Write(0, isError: true, "y\n"u8);
        Assert.Equal("\e[36ma/web  |\e[0m x\n", Text(_output));
        Assert.Equal("a/web  | y\n", Text(_error));
    }

    [Fact]
    public void Names_cannot_speak_to_the_terminal()
    {
        var name = ContainerName.Of(new Container { Node = "n\e[2J", Name = "w\u202eb\n\u009b" });
        Assert.Equal("n\uFFFD[2J/w\uFFFDb\uFFFD\uFFFD", name);
    }

    [Fact]
    public void A_container_without_a_name_is_its_short_id() =>
        Assert.Equal("n/0123456789ab", ContainerName.Of(new Container { Node = "n", Id = "0123456789abcdef" }));

    private static TargetLabels Labels(bool colour)
    {
        var labels = new TargetLabels(colour, colourError: false);
        labels.Add(["a/web", "b/x"]);
        return labels;
    }

    private void Write(int target, string text) => _lines.Write(target, isError: false, Encoding.UTF8.GetBytes(text));

    private static string Text(MemoryStream stream) => Encoding.UTF8.GetString(stream.ToArray());
}
