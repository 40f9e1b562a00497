using System.Text;
using Crashcart.Native;
using CsCheck;

namespace Crashcart.Audit.Tests;

/// <summary>A log of twenty lines in several files, and everything that can be done to it by one stroke.</summary>
public sealed class AuditVerifierTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Log => _directory.Log;

    /// <summary>Every file that the log consists of; the lock holds nothing.</summary>
    private IEnumerable<string> Parts => TestLogs.Files(Log).Append(Path.Combine(Log, "head"));

    public Task InitializeAsync() => TestLogs.WriteAsync(Log, 20, new AuditLimits(2_000, 1 << 20, null));

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void An_untouched_log_is_whole()
    {
        AuditVerdict verdict = AuditVerifier.Verify(Log, null);

        Assert.Equal(("", 20, 1, 20), (verdict.Problem, verdict.Lines, verdict.First, verdict.Last));
        Assert.InRange(TestLogs.Files(Log).Length, 3, 10);
    }

    [Fact]
    public void Every_single_byte_that_is_removed_is_noticed() => Each((bytes, at) => [.. bytes[..at], .. bytes[(at + 1)..]]);

    [Fact]
    public void Every_single_byte_that_is_another_is_noticed() => Each((bytes, at) => [.. bytes[..at], (byte)(bytes[at] ^ 1), .. bytes[(at + 1)..]]);

    [Fact]
    public void Every_single_letter_of_another_case_is_noticed() => Each((bytes, at) => [.. bytes[..at], (byte)(bytes[at] ^ 0x20), .. bytes[(at + 1)..]]);

    [Fact]
    public void Every_single_byte_that_is_added_is_noticed() => Each((bytes, at) => [.. bytes[..at], (byte)' ', .. bytes[at..]]);

    [Fact]
    public void Every_tail_that_is_cut_off_is_noticed() => Each((bytes, at) => bytes[..at]);

    [Fact]
    public void Every_line_that_is_removed_doubled_or_emptied_is_noticed()
    {
        foreach ((string file, string[] lines) in TestLogs.Files(Log).Select(file => (file, File.ReadAllLines(file))))
        {
            for (int i = 0; i < lines.Length; i++)
            {
                Assert.True(IsNoticed(file, Text([.. lines[..i], .. lines[(i + 1)..]])));
                Assert.True(IsNoticed(file, Text([.. lines[..i], lines[i], lines[i], .. lines[(i + 1)..]])));
                Assert.True(IsNoticed(file, Text([.. lines[..i], "", .. lines[(i + 1)..]])));
            }
        }
    }

    [Fact]
    public void Any_two_lines_that_change_places_are_noticed()
    {
        string[] files = TestLogs.Files(Log);
        string[][] all = [.. files.Select(File.ReadAllLines)];
        List<(int File, int Line)> places = [.. all.SelectMany((lines, file) => lines.Select((_, line) => (file, line)))];
        foreach (((int File, int Line) a, (int File, int Line) b) in places.SelectMany(a => places.Where(b => a.CompareTo(b) < 0).Select(b => (a, b))))
        {
            string[][] swapped = [.. all.Select(lines => lines.ToArray())];
            (swapped[a.File][a.Line], swapped[b.File][b.Line]) = (swapped[b.File][b.Line], swapped[a.File][a.Line]);
            for (int i = 0; i < files.Length; i++)
                File.WriteAllBytes(files[i], Text(swapped[i]));
            Assert.False(AuditVerifier.Verify(Log, null).IsWhole, $"lines {a} and {b} changed places");
        }
    }

    [Fact]
    public void Every_file_that_is_removed_renamed_or_changes_its_name_with_another_is_noticed()
    {
        foreach (string file in Parts.ToList())
        {
            File.Move(file, file + "~");
            Assert.False(AuditVerifier.Verify(Log, null).IsWhole, $"{file} is missing");
            File.Move(file + "~", file);
        }
        string[] files = TestLogs.Files(Log);
        for (int i = 0; i + 1 < files.Length; i++)
        {
            byte[] one = File.ReadAllBytes(files[i]), other = File.ReadAllBytes(files[i + 1]);
            File.WriteAllBytes(files[i], other);
            File.WriteAllBytes(files[i + 1], one);
            Assert.False(AuditVerifier.Verify(Log, null).IsWhole);
            File.WriteAllBytes(files[i], one);
            File.WriteAllBytes(files[i + 1], other);
        }
        Assert.True(AuditVerifier.Verify(Log, null).IsWhole);
    }

    [Fact]
    public void Says_in_which_file_and_line_the_first_fault_is()
    {
        string file = TestLogs.Files(Log)[1];
        string[] lines = File.ReadAllLines(file);
        File.WriteAllBytes(file, Text([lines[0], lines[1].Replace("alice", "mallo", StringComparison.Ordinal), .. lines[2..]]));

        Assert.StartsWith($"{file}:3: this line does not follow from line ", AuditVerifier.Verify(Log, null).Problem, StringComparison.Ordinal);

        File.WriteAllBytes(file, Text([lines[0], .. lines[2..]]));
        Assert.StartsWith($"{file}:2: line ", AuditVerifier.Verify(Log, null).Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_head_from_elsewhere_finds_a_log_that_was_made_anew()
    {
        AuditVerdict verdict = AuditVerifier.Verify(Log, null);
        string head = $"{verdict.Last}:{verdict.Hash}";
        Assert.True(AuditVerifier.Verify(Log, head).IsWhole);

        Assert.False(AuditVerifier.Verify(Log, $"{verdict.Last}:{new string('1', 64)}").IsWhole);
        Assert.False(AuditVerifier.Verify(Log, $"{verdict.Last + 1}:{verdict.Hash}").IsWhole);
        Assert.Throws<CrashcartException>(() => AuditVerifier.Verify(Log, "12:34"));
    }

    [Fact]
    public void One_file_is_verified_alone_wherever_it_is()
    {
        string copy = Path.Combine(_directory.Path, "copy");
        File.Copy(TestLogs.Files(Log)[1], copy);
        Assert.True(AuditVerifier.Verify(copy, null).IsWhole);

        string[] lines = File.ReadAllLines(copy);
        File.WriteAllBytes(copy, Text([lines[0], .. lines[2..]]));
        Assert.False(AuditVerifier.Verify(copy, null).IsWhole);
    }

    [Fact]
    public void There_must_be_a_log() => Assert.Throws<CrashcartException>(() => AuditVerifier.Verify(_directory.Path, null));

    /// <summary>20,000 logs: lines of the real one and noise, cut, mixed and joined. Each is answered, and what is called whole is of the real one.</summary>
    [Fact]
    public void Whatever_the_bytes_are_there_is_an_answer()
    {
        string file = Path.Combine(_directory.Path, "fuzzed");
        string[] real = File.ReadAllLines(TestLogs.Files(Log)[0]);
        string whole = Encoding.ASCII.GetString(Text(real));
        Gen<string> noise = Gen.OneOf(
            Gen.String,
            OneOf(real),
            OneOf("", "{", "[]", "{}", "null", "{\"seq\":1}", "{\"seq\":1e400,\"prev\":\"x\"}", "{\"seq\":-9223372036854775808,\"prev\":\"\\ud800\"}", new string('[', 100)),
            Gen.Select(OneOf(real), Gen.Int[0, 100], (line, at) => line[..Math.Min(at, line.Length)]));
        Gen.Select(noise.Array[0, 6], OneOf("\n", "", "\r\n", "\0"), (lines, end) => string.Join(end, lines) + end).Sample(
            text =>
            {
                File.WriteAllText(file, text);
                // What the last line of a lone file says, nothing behind it proves.
                if (AuditVerifier.Verify(file, null).IsWhole)
                    Assert.Contains(text[..(text.TrimEnd('\n').LastIndexOf('\n') + 1)], whole, StringComparison.Ordinal);
            },
            iter: 20_000,
            threads: 1);
    }

    private static Gen<string> OneOf(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private void Each(Func<byte[], int, byte[]> change)
    {
        foreach (string file in Parts.ToList())
        {
            byte[] bytes = File.ReadAllBytes(file);
            for (int at = 0; at < bytes.Length; at++)
                Assert.True(IsNoticed(file, change(bytes, at)), $"{file}, byte {at}");
        }
    }

    private bool IsNoticed(string file, byte[] changed)
    {
        byte[] bytes = File.ReadAllBytes(file);
        File.WriteAllBytes(file, changed);
        bool isWhole = AuditVerifier.Verify(Log, null).IsWhole;
        File.WriteAllBytes(file, bytes);
        return !isWhole;
    }

    private static byte[] Text(IEnumerable<string> lines) => Encoding.ASCII.GetBytes(string.Concat(lines.Select(line => line + "\n")));
}
