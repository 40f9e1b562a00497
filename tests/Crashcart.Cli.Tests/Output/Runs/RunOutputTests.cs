using System.Text;
using Crashcart.Api;
using Crashcart.Cli.Output.Runs;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Output.Runs;

public sealed class RunOutputTests : IDisposable
{
    private readonly MemoryStream _output = new();
    private readonly MemoryStream _error = new();
    private readonly RunProgress _run = new(TimeProvider.System) { RunId = "run-1" };
    private readonly string _directory = Directory.CreateTempSubdirectory("crashcart-cli-").FullName;

    public void Dispose()
    {
        _output.Dispose();
        _error.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public void Raw_output_is_the_exact_bytes()
    {
        var raw = new RawOutput(_output, _error);
        Begin(raw, "a", "b");
        raw.Write(_run[0], isError: false, [0, 0xff]);
        raw.Write(_run[1], isError: false, "x"u8);
        raw.Write(_run[0], isError: true, "e"u8);
        Assert.Equal([0, 0xff, (byte)'x'], _output.ToArray());
        Assert.Equal("e", Text(_error));
    }

    [Fact]
    public void Equal_outputs_are_shown_once_the_most_frequent_first()
    {
        using var grouped = new GroupedOutput(_output, _error, false, false, differences: false);
        Begin(grouped, "web-1", "web-2", "web-3");
        Write(grouped, 0, "other\n");
        Write(grouped, 1, "sa");
        Write(grouped, 2, "same\n");
        Write(grouped, 1, "me\n");
        End(grouped, 0, 0);
        End(grouped, 1, 0);
        End(grouped, 2, 0);
        Assert.Equal("", Text(_output));
        grouped.Finish(_run, 0);
        Assert.Equal("--- n/web-[2-3] (2)\nsame\n--- n/web-1 (1)\nother\n", Text(_output));
    }

    [Fact]
    public void Outputs_are_not_equal_when_their_ends_are_not()
    {
        using var grouped = new GroupedOutput(_output, _error, false, false, differences: false);
        Begin(grouped, "a", "b", "c");
        End(grouped, 0, 0);
        End(grouped, 1, 2);
        End(grouped, 2, 125, "Lost.");
        grouped.Finish(_run, 1);
        Assert.Equal("--- n/a (1)\n--- n/b (1): exit status 2\n--- n/c (1): Lost.\n", Text(_output));
    }

    [Fact]
    public void Long_outputs_are_grouped_and_shown_whole()
    {
        using var grouped = new GroupedOutput(_output, _error, false, false, differences: false);
        Begin(grouped, "a", "b");
        var piece = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1000).Select(n => $"line {n}\n")));
        for (var n = 0; n < 30; n++)
        {
            grouped.Write(_run[0], isError: false, piece);
            grouped.Write(_run[1], isError: false, piece);
        }

        End(grouped, 0, 0);
        End(grouped, 1, 0);
        grouped.Finish(_run, 0);
        Assert.Equal(["--- n/a,n/b (2)\n"u8.ToArray(), .. Enumerable.Repeat(piece, 30)], [_output.ToArray()[.."--- n/a,n/b (2)\n"u8.Length], .. _output.ToArray()["--- n/a,n/b (2)\n"u8.Length..].Chunk(piece.Length)]);
    }

    [Fact]
    public void What_differs_from_the_majority_is_a_unified_diff()
    {
        using var grouped = new GroupedOutput(_output, _error, false, false, differences: true);
        Begin(grouped, "a", "b", "c");
        Write(grouped, 0, "one\ntwo\n");
        Write(grouped, 1, "one\n2\n");
        Write(grouped, 2, "one\ntwo\n");
        for (var target = 0; target < 3; target++)
            End(grouped, target, 0);
        grouped.Finish(_run, 0);
        Assert.Equal("--- n/a,n/c (2)\none\ntwo\n--- n/b (1)\n@@ -1,2 +1,2 @@\n one\n-two\n+2\n", Text(_output).ReplaceLineEndings("\n"));
    }

    [Fact]
    public void On_a_terminal_a_group_cannot_move_the_cursor()
    {
        using var grouped = new GroupedOutput(_output, _error, outputIsTerminal: true, errorIsTerminal: true, differences: false);
        Begin(grouped, "a");
        Write(grouped, 0, "\e[2Jx\n");
        End(grouped, 0, 0);
        grouped.Finish(_run, 0);
        Assert.Equal("--- n/a (1)\n^[[2Jx\n", Text(_output));
    }

    [Fact]
    public void Files_have_their_names_when_they_are_whole()
    {
        var files = new DirectoryOutput(_directory);
        Begin(files, "web", "db");
        files.Write(_run[0], isError: false, [0, 0xff]);
        files.Write(_run[0], isError: false, "x"u8);
        files.Write(_run[0], isError: true, "e"u8);
        Assert.False(File.Exists($"{_directory}/n/web.stdout"));
        End(files, 0, 3);
        End(files, 1, 125, "Lost.");
        files.Finish(_run, 125);
        Assert.Equal([0, 0xff, (byte)'x'], File.ReadAllBytes($"{_directory}/n/web.stdout"));
        Assert.Equal("e", File.ReadAllText($"{_directory}/n/web.stderr"));
        Assert.Equal("3\n", File.ReadAllText($"{_directory}/n/web.exit"));
        Assert.Equal("", File.ReadAllText($"{_directory}/n/db.stdout"));
        Assert.Equal(
            ["db.exit", "db.stderr", "db.stdout", "web.exit", "web.stderr", "web.stdout"],
            Directory.GetFiles($"{_directory}/n").Select(Path.GetFileName).Order(StringComparer.Ordinal));
        var summary = File.ReadAllText($"{_directory}/run.json");
        Assert.Contains("\"run_id\": \"run-1\"", summary, StringComparison.Ordinal);
        Assert.Contains("\"failure\": \"Lost.\"", summary, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("..", "%2E.")]
    [InlineData("../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd")]
    [InlineData(".hidden", "%2Ehidden")]
    [InlineData("a\nb", "a%0Ab")]
    public void No_name_leaves_the_directory(string name, string file)
    {
        var files = new DirectoryOutput(_directory);
        Begin(files, name);
        Write(files, 0, "x");
        End(files, 0, 0);
        Assert.Equal("x", File.ReadAllText($"{_directory}/n/{file}.stdout"));
    }

    [Fact]
    public void A_container_that_was_restarted_has_files_of_its_own()
    {
        var files = new DirectoryOutput(_directory);
        Begin(files, "web", "web");
        Write(files, 1, "again");
        End(files, 0, 0);
        End(files, 1, 0);
        Assert.Equal("", File.ReadAllText($"{_directory}/n/web.stdout"));
        Assert.Equal("again", File.ReadAllText($"{_directory}/n/web.2.stdout"));
    }

    [Fact]
    public void A_directory_that_cannot_be_made_is_named()
    {
        File.WriteAllText($"{_directory}/file", "");
        var failed = Assert.Throws<CrashcartException>(() => new DirectoryOutput($"{_directory}/file/deeper"));
        Assert.Contains($"{_directory}/file/deeper", failed.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Json_has_text_where_it_is_utf8_and_base64_where_it_is_not()
    {
        var json = new JsonRunOutput(_output);
        Begin(json, "web");
        Write(json, 0, "a\n");
        json.Write(_run[0], isError: true, [0xc3]);
        json.Write(_run[0], isError: true, [0xa4, 0xff]);
        json.Write(_run[0], isError: false, [0xe2, 0x82]);
        End(json, 0, 1);
        json.Finish(_run, 1);
        var lines = Text(_output).Split('\n');
        Assert.Equal("""{"type":"target","node":"n","container":"web","target":0}""", lines[0]);
        Assert.Equal("""{"type":"output","node":"n","container":"web","target":0,"stream":"stdout","text":"a\n"}""", lines[1]);
        Assert.Contains("\"stream\":\"stderr\",\"base64\":\"w6T/\"", lines[2], StringComparison.Ordinal);
        Assert.Contains("\"stream\":\"stdout\",\"base64\":\"4oI=\"", lines[3], StringComparison.Ordinal);
        Assert.StartsWith("""{"type":"exit","node":"n","container":"web","target":0,"exit_code":1,"seconds":""", lines[4], StringComparison.Ordinal);
        Assert.Equal("""{"type":"run","run_id":"run-1","exit_code":1,"targets":1,"failed":1}""", lines[5]);
    }

    [Fact]
    public void The_status_line_counts()
    {
        Begin(new RawOutput(_output, _error), "a", "b", "c", "d");
        _run.Start(0);
        _run.Start(1);
        _run.Write(0, isError: false, 1500);
        _run.End(1, 1, null);
        Assert.StartsWith("1 running, 1 failed, 2 waiting, 1.5 kB", RunStatus.Describe(_run), StringComparison.Ordinal);
    }

    [Fact]
    public void Many_failures_are_folded_by_what_they_say()
    {
        var failures = Enumerable.Range(1, 30).Select(n => ($"n/web-{n}", n == 7 ? "Lost." : "Exit status 1.")).ToList();
        Assert.Equal("crashcart: 30 failed:\n  n/web-[1-6,8-30]  Exit status 1.\n  n/web-7           Lost.\n", RunSummary.Failures(failures));
    }

    private void Begin(IRunOutput output, params string[] containers) =>
        output.Add(_run.Add(containers.Select(name => new Container { Node = "n", Name = name })));

    private void Write(IRunOutput output, int target, string text) => output.Write(_run[target], isError: false, Encoding.UTF8.GetBytes(text));

    private void End(IRunOutput output, int target, int status, string? failure = null)
    {
        _run.End(target, status, failure);
        output.End(_run[target]);
    }

    private static string Text(MemoryStream stream) => Encoding.UTF8.GetString(stream.ToArray());
}
