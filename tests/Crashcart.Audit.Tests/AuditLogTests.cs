using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Crashcart.Native;

namespace Crashcart.Audit.Tests;

public sealed class AuditLogTests : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    private string Log => _directory.Log;

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_line_has_its_number_the_hash_of_the_line_before_and_the_time()
    {
        await TestLogs.WriteAsync(Log, 2);

        string[] lines = File.ReadAllLines(Assert.Single(TestLogs.Files(Log)));
        JsonElement first = JsonDocument.Parse(lines[0]).RootElement, second = JsonDocument.Parse(lines[1]).RootElement;
        Assert.Equal(1, first.GetProperty("seq").GetInt64());
        Assert.Equal(new string('0', 64), first.GetProperty("prev").GetString());
        Assert.Equal(2, second.GetProperty("seq").GetInt64());
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.ASCII.GetBytes(lines[0]))), second.GetProperty("prev").GetString());
        Assert.Equal(DateTimeOffset.UtcNow, second.GetProperty("time").GetDateTimeOffset(), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Goes_on_after_a_restart()
    {
        for (int i = 0; i < 3; i++)
            await TestLogs.WriteAsync(Log, 2);

        Assert.Equal([1, 2, 3, 4, 5, 6], TestLogs.Lines(Log).Select(line => line.GetProperty("seq").GetInt64()));
        Assert.True(AuditVerifier.Verify(Log, null).IsWhole);
    }

    [Fact]
    public async Task Is_its_owners_alone_with_a_umask_of_zero_and_in_a_directory_that_was_open()
    {
        Directory.CreateDirectory(Log);
        File.SetUnixFileMode(Log, (UnixFileMode)0x1FF);

        await TestLogs.WriteAsync(Log, 3, new AuditLimits(1, 1 << 20, null));

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(Log));
        Assert.All(Directory.EnumerateFiles(Log), file => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file)));
    }

    [Fact]
    public async Task What_a_user_sends_cannot_end_a_line_or_speak_to_a_terminal()
    {
        string nasty = "\n\r\0\u001b]0;x\u0007\u009b31m\u2028\u202e\ud800\"\\é";
        using (AuditLog log = TestLogs.Open(Log))
            await log.WriteAsync(new AuditEvent("request") { Reason = nasty, Arguments = [nasty], Caller = new AuditCaller(nasty, [nasty], nasty) });

        byte[] bytes = File.ReadAllBytes(Assert.Single(TestLogs.Files(Log)));
        Assert.All(bytes[..^1], b => Assert.InRange(b, (byte)' ', (byte)'~'));
        Assert.Equal(nasty.Replace('\ud800', '\ufffd'), Assert.Single(TestLogs.Lines(Log)).GetProperty("reason").GetString());
    }

    [Fact]
    public async Task Arguments_without_end_are_told_by_number_and_hash()
    {
        using (AuditLog log = TestLogs.Open(Log))
            await log.WriteAsync(new AuditEvent("session.start") { Arguments = ["echo", .. Enumerable.Repeat(new string('x', 1000), 1000)] });

        JsonElement line = Assert.Single(TestLogs.Lines(Log));
        Assert.Equal(1001, line.GetProperty("args").GetArrayLength() + line.GetProperty("argsOmitted").GetInt32());
        Assert.Equal(64, line.GetProperty("argsSha256").GetString()!.Length);
        Assert.True(AuditVerifier.Verify(Log, null).IsWhole);
    }

    [Fact]
    public async Task Concurrent_writers_make_one_chain_and_lose_nothing()
    {
        using (AuditLog log = TestLogs.Open(Log, new AuditLimits(50_000, 1 << 30, null)))
            await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => Task.Run(() => log.WriteAsync(TestLogs.Event(i)))));

        Assert.Equal(1000, TestLogs.Lines(Log).Select(line => line.GetProperty("session").GetString()).Distinct().Count());
        AuditVerdict verdict = AuditVerifier.Verify(Log, null);
        Assert.Equal(("", 1000), (verdict.Problem, verdict.Lines));
    }

    [Fact]
    public async Task Rotates_by_size_and_says_which_lines_it_dropped()
    {
        await TestLogs.WriteAsync(Log, 200, new AuditLimits(2_000, 8_000, null));

        string[] files = TestLogs.Files(Log);
        Assert.InRange(files.Sum(file => new FileInfo(file).Length), 1, 12_000);
        Assert.DoesNotContain("audit-000000000001.jsonl", files.Select(Path.GetFileName));
        Assert.Contains("log.dropped", TestLogs.Events(Log));
        AuditVerdict verdict = AuditVerifier.Verify(Log, null);
        Assert.Equal("", verdict.Problem);
        Assert.True(verdict.First > 1);
    }

    [Fact]
    public async Task Drops_files_that_are_older_than_is_kept()
    {
        await TestLogs.WriteAsync(Log, 3, new AuditLimits(1, 1 << 20, null));
        foreach (string file in TestLogs.Files(Log))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-31));

        await TestLogs.WriteAsync(Log, 1, new AuditLimits(1, 1 << 20, TimeSpan.FromDays(30)));

        Assert.Equal(["log.dropped", "log.dropped", "log.dropped", "session.start"], TestLogs.Events(Log));
        Assert.True(AuditVerifier.Verify(Log, null).IsWhole);
    }

    [Fact]
    public async Task Keeps_so_many_files()
    {
        await TestLogs.WriteAsync(Log, 9, new AuditLimits(1, 1 << 20, null) { Files = 3 });

        Assert.Equal(3, TestLogs.Files(Log).Length);
        Assert.True(AuditVerifier.Verify(Log, null).IsWhole);
    }

    [Fact]
    public async Task What_somebody_else_removes_from_the_beginning_of_what_retention_left_is_noticed()
    {
        await TestLogs.WriteAsync(Log, 9, new AuditLimits(1, 1 << 20, null) { Files = 4 });

        foreach (string file in TestLogs.Files(Log)[..^1])
        {
            File.Delete(file);
            Assert.Contains("no line says that they were dropped", AuditVerifier.Verify(Log, null).Problem, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_file_that_was_to_be_dropped_and_is_still_there_breaks_nothing()
    {
        var limits = new AuditLimits(1, 1 << 20, TimeSpan.FromDays(30));
        await TestLogs.WriteAsync(Log, 3, new AuditLimits(1, 1 << 20, null));
        string first = TestLogs.Files(Log)[0], kept = File.ReadAllText(first);
        foreach (string file in TestLogs.Files(Log))
            File.SetLastWriteTimeUtc(file, DateTime.UtcNow.AddDays(-31));
        await TestLogs.WriteAsync(Log, 1, limits);
        File.WriteAllText(first, kept);
        Assert.False(AuditVerifier.Verify(Log, null).IsWhole);

        string second = Path.Combine(Log, "audit-000000000002.jsonl");
        Assert.False(File.Exists(second));
        File.Delete(first);
        Assert.True(AuditVerifier.Verify(Log, null).IsWhole);
    }

    [Fact]
    public async Task A_torn_line_is_set_apart_and_a_line_says_so()
    {
        await TestLogs.WriteAsync(Log, 3);
        File.AppendAllText(TestLogs.Files(Log)[0], "{\"seq\":4,\"pre");
        Assert.Contains("no end", AuditVerifier.Verify(Log, null).Problem, StringComparison.Ordinal);
        List<string> said = [];

        using (AuditLog log = TestLogs.Open(Log, complain: said.Add))
            await log.WriteAsync(TestLogs.Event(9));

        Assert.Equal(["session.start", "session.start", "session.start", "log.torn", "session.start"], TestLogs.Events(Log));
        Assert.Equal("{\"seq\":4,\"pre", File.ReadAllText(Path.Combine(Log, "torn-000000000004")));
        Assert.Contains("in the middle of a line", Assert.Single(said), StringComparison.Ordinal);
        AuditVerdict verdict = AuditVerifier.Verify(Log, null);
        Assert.Equal(("", 1), (verdict.Problem, verdict.Torn));
        File.AppendAllText(Path.Combine(Log, "torn-000000000004"), "x");
        Assert.False(AuditVerifier.Verify(Log, null).IsWhole);
    }

    [Fact]
    public async Task A_line_that_was_set_apart_by_a_process_that_came_no_further_is_told_by_the_next()
    {
        await TestLogs.WriteAsync(Log, 3);
        File.WriteAllText(Path.Combine(Log, "torn-000000000004"), "{");
        Assert.False(AuditVerifier.Verify(Log, null).IsWhole);

        await TestLogs.WriteAsync(Log, 1);

        Assert.Contains("log.torn", TestLogs.Events(Log));
        Assert.True(AuditVerifier.Verify(Log, null).IsWhole);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_tail_that_was_taken_away_is_told_by_the_next_process_and_for_ever_by_verify(bool wholeFile)
    {
        await TestLogs.WriteAsync(Log, 5);
        string file = TestLogs.Files(Log)[0];
        if (wholeFile)
            File.Delete(file);
        else
            File.WriteAllLines(file, File.ReadAllLines(file)[..3]);
        List<string> said = [];

        using (AuditLog log = TestLogs.Open(Log, complain: said.Add))
            await log.WriteAsync(TestLogs.Event(9));

        Assert.Contains("log.gap", TestLogs.Events(Log));
        Assert.Contains("was changed", Assert.Single(said), StringComparison.Ordinal);
        Assert.False(AuditVerifier.Verify(Log, null).IsWhole);
    }

    [Fact]
    public async Task One_process_writes_a_log_and_another_is_told_to_wait()
    {
        using AuditLog first = TestLogs.Open(Log);
        await first.WriteAsync(TestLogs.Event(1));
        using AuditLog second = TestLogs.Open(Log);

        await Assert.ThrowsAsync<CrashcartException>(() => second.WriteAsync(TestLogs.Event(2)));

        first.Dispose();
        await second.WriteAsync(TestLogs.Event(3));
    }

    [Fact]
    public async Task Everything_that_a_killed_process_was_told_is_written_is_there()
    {
        for (int round = 0; round < 5; round++)
        {
            using Process writer = WriterProgram.Start(Log);
            var told = new List<string>();
            while (told.Count < 50 + (round * 37) && await writer.StandardOutput.ReadLineAsync() is { } id)
                told.Add(id);
            writer.Kill();
            told.AddRange((await writer.StandardOutput.ReadToEndAsync()).Split('\n').Where(id => id.Length == 32));
            await writer.WaitForExitAsync();
            await TestLogs.WriteAsync(Log, 1);

            AuditVerdict verdict = AuditVerifier.Verify(Log, null);
            Assert.Equal("", verdict.Problem);
            HashSet<string> written = [.. TestLogs.Lines(Log).Select(line => line.TryGetProperty("session", out JsonElement session) ? session.GetString()! : "")];
            Assert.Superset(told.ToHashSet(), written);
        }
    }

    [Fact]
    public async Task A_full_disk_refuses_and_is_written_again_without_a_restart()
    {
        using var disk = new SmallDisk(_directory.Path, kibibytes: 64);
        var said = new List<string>();
        string log = Path.Combine(disk.Path, "log"), filler = Path.Combine(disk.Path, "filler");
        using (AuditLog audit = TestLogs.Open(log, complain: said.Add))
        {
            await audit.WriteAsync(TestLogs.Event(1));
            SmallDisk.Fill(filler);
            CrashcartException refusal = await RefusalAsync(audit);
            Assert.Contains(log, refusal.Message, StringComparison.Ordinal);
            Assert.Contains("No space left on device", refusal.Message, StringComparison.Ordinal);
            audit.Note(new AuditEvent("session.end") { Session = "run-1" });
            File.Delete(filler);
            await audit.WriteAsync(TestLogs.Event(2));
        }

        string[] events = TestLogs.Events(log);
        Assert.Contains("log.resumed", events);
        Assert.Single(events, name => name == "session.end");
        Assert.Equal("", AuditVerifier.Verify(log, null).Problem);
        Assert.Equal(2, said.Count);
    }

    /// <summary>The last page of the file may have room for some lines yet.</summary>
    private static async Task<CrashcartException> RefusalAsync(AuditLog audit)
    {
        while (true)
        {
            try
            {
                await audit.WriteAsync(TestLogs.Event(0));
            }
            catch (CrashcartException e)
            {
                return e;
            }
        }
    }
}
