using Crashcart.Actors;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Runs;
using Crashcart.Node.Tests.Host;
using Crashcart.Node.Tests.Streams;
using Google.Protobuf;

namespace Crashcart.Node.Tests.Runs;

/// <summary>What nodes keep of runs, in real files.</summary>
public sealed class RunRecordsTests : IDisposable
{
    private const UnixFileMode Others = (UnixFileMode)0x3f;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly RunsHost _host = new();
    private readonly PipedTool _tool = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Both_outputs_come_back_in_the_order_in_which_they_were_written_and_the_end_last()
    {
        await using (var record = await _host.BeginAsync("run-a"))
        {
            var carry = record.CarryAsync(_tool);
            foreach (var (stream, text) in ((Stream, string)[])[(_tool.Writes, "1"), (_tool.WritesErrors, "2"), (_tool.Writes, "3")])
            {
                var before = Bytes();
                await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(text));
                await Eventually.TrueAsync(() => Bytes() > before, "it is kept");
            }

            _tool.Exit(3);
            await carry.WaitAsync(Patience);
        }

        List<string> frames = [];
        await foreach (var frame in _host.Open().ReadAsync(RunsHost.Session("run-a"), follow: false, endsOnly: false, CancellationToken.None))
            frames.Add(frame.FrameCase.ToString() + frame.Stdout.ToStringUtf8() + frame.Stderr.ToStringUtf8());
        Assert.Equal(["Began", "Stdout1", "Stderr2", "Stdout3", "Exit"], frames);
        Assert.Equal(3, (await RunsHost.ReadAsync(_host.Open(), "run-a")).Exit.ExitCode);
    }

    [Fact]
    public async Task Every_byte_of_much_output_comes_back()
    {
        var sent = new byte[5_000_000];
        Random.Shared.NextBytes(sent);
        await using var record = await _host.BeginAsync("run-a");
        var carry = record.CarryAsync(_tool);
        await _tool.Writes.WriteAsync(sent);
        _tool.Exit(0);
        await carry.WaitAsync(Patience);

        using var received = new MemoryStream();
        await foreach (var frame in _host.Records.ReadAsync(RunsHost.Session("run-a"), follow: false, endsOnly: false, CancellationToken.None))
            received.Write(frame.Stdout.Span);

        Assert.Equal(sent, received.ToArray());
    }

    [Fact]
    public async Task Who_follows_sees_what_comes_and_the_end()
    {
        await using var record = await _host.BeginAsync("run-a");
        var carry = record.CarryAsync(_tool);
        var reading = RunsHost.ReadAsync(_host.Records, "run-a", follow: true);
        await _tool.Writes.WriteAsync("a"u8.ToArray());
        await Eventually.TrueAsync(() => Bytes() > 0, "the first is kept");
        Assert.False(reading.IsCompleted);
        Assert.NotNull((await RunsHost.ReadAsync(_host.Records, "run-a")).Exit.GoesOn);

        await _tool.Writes.WriteAsync("b"u8.ToArray());
        _tool.Exit(0);
        await carry.WaitAsync(Patience);

        Assert.Equal("ab", (await reading.WaitAsync(Patience)).Output);
        Assert.Equal("", (await RunsHost.ReadAsync(_host.Records, "run-a", endsOnly: true)).Output);
    }

    [Fact]
    public async Task Nobody_but_root_can_read_it_and_arguments_are_not_in_it()
    {
        await _host.KeepAsync("run-a", 10);

        Assert.All(
            Directory.GetFileSystemEntries(_host.Root, "*", SearchOption.AllDirectories), path => Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(path) & Others));
        Assert.DoesNotContain("secret", await File.ReadAllTextAsync(Path.Combine(_host.Root, "runs/run-a/run-a-0.record")), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_kept_is_added_up_and_told_of_each_session_when_asked()
    {
        await _host.KeepAsync("run-a", 10);
        await _host.KeepAsync("run-b", 20);
        await using var running = await _host.BeginAsync("run-b", target: 2);

        var runs = (await _host.Records.FindAsync(null)).OrderBy(run => run.RunId, StringComparer.Ordinal).ToList();
        Assert.Equal([("run-a", 0, 1), ("run-b", 1, 1)], runs.Select(run => (run.RunId, run.Running, run.Done)));
        Assert.Equal(("tcpdump", "anna", 3, 5L), (runs[1].Tool, runs[1].By, runs[1].Targets, runs[1].SinceUnixMs));
        Assert.Empty(runs[1].Sessions);
        Assert.Equal([0, 2], Assert.Single(await _host.Records.FindAsync(new RunId("run-b"))).Sessions.Select(session => session.Target));
    }

    [Fact]
    public async Task A_process_that_was_killed_leaves_whole_frames_and_no_success()
    {
        var record = await _host.BeginAsync("run-a");
        var carry = record.CarryAsync(_tool);
        await _tool.Writes.WriteAsync("whole"u8.ToArray());
        await Eventually.TrueAsync(() => Bytes() > 0, "it is kept");
        var torn = new byte[SessionRecord.SizeOf(new NodeFrame { Stdout = ByteString.CopyFromUtf8("torn") })];
        using (var writer = new CodedOutputStream(torn))
            writer.WriteMessage(new NodeFrame { Stdout = ByteString.CopyFromUtf8("torn") });
        await using (var file = new FileStream(Path.Combine(_host.Root, "runs/run-a/run-a-0.output"), FileMode.Append, FileAccess.Write, FileShare.ReadWrite))
            await file.WriteAsync(torn.AsMemory(..^2));

        var (output, _, exit) = await RunsHost.ReadAsync(_host.Open(), "run-a", follow: true);

        Assert.Equal("whole", output);
        Assert.Equal(125, exit.Failure.ExitCode);
        Assert.Contains("node stopped before the tool ended", exit.Failure.Message, StringComparison.Ordinal);
        _tool.Exit(0);
        await carry.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_session_that_writes_more_than_it_may_is_ended_and_what_came_before_is_whole()
    {
        await using (var record = await _host.BeginAsync("run-a", maxBytes: 5))
        {
            var carry = record.CarryAsync(_tool);
            await _tool.Writes.WriteAsync("1234567"u8.ToArray());
            Assert.Contains("--max-bytes", (await Assert.ThrowsAsync<NodeException>(() => carry.WaitAsync(Patience))).Message, StringComparison.Ordinal);
        }

        var (output, _, exit) = await RunsHost.ReadAsync(_host.Open(), "run-a");
        Assert.Equal(("12345", 125), (output, exit.Failure.ExitCode));
    }

    [Fact]
    public async Task The_oldest_runs_that_are_over_give_way_to_what_is_written_now()
    {
        using var host = new RunsHost(budget: 100_000);
        await host.KeepAsync("run-a", 40_000);
        host.Now += TimeSpan.FromSeconds(1);
        await host.KeepAsync("run-b", 40_000);
        host.Now += TimeSpan.FromSeconds(1);

        await host.KeepAsync("run-c", 40_000);

        Assert.Equal(["run-b", "run-c"], await RunIds(host.Records));
        Assert.Equal(["run-b", "run-c"], Directory.GetDirectories(Path.Combine(host.Root, "runs")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Where_nothing_gives_way_a_session_ends_with_a_clear_failure()
    {
        using var host = new RunsHost(budget: 50_000);
        await using var other = await host.BeginAsync("run-b");
        await using (var record = await host.BeginAsync("run-a"))
        {
            var carry = record.CarryAsync(_tool);
            var writing = _tool.Writes.WriteAsync(new byte[100_000]).AsTask();
            Assert.Contains("run-output-budget", (await Assert.ThrowsAsync<NodeException>(() => carry.WaitAsync(Patience))).Message, StringComparison.Ordinal);
        }

        var (output, _, exit) = await RunsHost.ReadAsync(host.Records, "run-a");
        Assert.InRange(output.Length, 1, 50_000);
        Assert.Contains("run-output-budget, 50,000 bytes", exit.Failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task On_a_full_disk_the_session_ends_and_that_is_kept()
    {
        await Command.RunAsync("mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", _host.Root);
        try
        {
            await using (var record = await _host.BeginAsync("run-a"))
            {
                var carry = record.CarryAsync(_tool);
                var writing = _tool.Writes.WriteAsync(new byte[1 << 20]).AsTask();
                Assert.Contains("No space left", (await Assert.ThrowsAsync<NodeException>(() => carry.WaitAsync(Patience))).Message, StringComparison.Ordinal);
            }

            var (output, _, exit) = await RunsHost.ReadAsync(_host.Open(), "run-a");
            Assert.True(output.Length > 100_000);
            Assert.Contains("could not keep what the tool wrote: No space left on device", exit.Failure.Message, StringComparison.Ordinal);
            await Command.RunAsync("sh", "-c", $"cat /dev/zero >{_host.Root}/filler 2>/dev/null; true");
            Assert.Contains("No space left", (await Assert.ThrowsAsync<NodeException>(() => _host.BeginAsync("run-b"))).Message, StringComparison.Ordinal);
        }
        finally
        {
            await Command.RunAsync("umount", _host.Root);
        }
    }

    [Fact]
    public async Task What_is_old_is_forgotten_and_what_runs_is_not()
    {
        await _host.KeepAsync("run-a", 10);
        await using var running = await _host.BeginAsync("run-b");
        _host.Now += TimeSpan.FromDays(6);
        await _host.KeepAsync("run-c", 10);
        _host.Now += TimeSpan.FromDays(2);

        await _host.Records.SweepAsync();

        Assert.Equal(["run-b", "run-c"], await RunIds(_host.Records));
    }

    [Fact]
    public async Task A_run_is_forgotten_when_it_is_over_and_not_before()
    {
        await _host.KeepAsync("run-a", 10);
        await using var running = await _host.BeginAsync("run-b");

        await _host.Records.RemoveAsync(new RunId("run-a"));
        await _host.Records.RemoveAsync(new RunId("run-z"));
        await Assert.ThrowsAsync<NodeException>(() => _host.Records.RemoveAsync(new RunId("run-b")));

        Assert.Equal(["run-b"], await RunIds(_host.Open()));
        await Assert.ThrowsAsync<NodeException>(() => RunsHost.ReadAsync(_host.Records, "run-a"));
    }

    [Fact]
    public async Task Who_reads_a_run_that_gives_way_reads_it_to_its_end()
    {
        await _host.KeepAsync("run-a", 200_000);
        await using var frames = _host.Records.ReadAsync(RunsHost.Session("run-a"), follow: false, endsOnly: false, CancellationToken.None).GetAsyncEnumerator();
        Assert.True(await frames.MoveNextAsync() && await frames.MoveNextAsync());
        var read = frames.Current.Stdout.Length;

        await _host.Records.RemoveAsync(new RunId("run-a"));

        while (await frames.MoveNextAsync())
            read += frames.Current.Stdout.Length;
        Assert.Equal(200_000, read);
    }

    [Theory]
    [InlineData("../../etc")]
    [InlineData("run/a")]
    [InlineData("")]
    public async Task Ids_lead_nowhere_else(string run) =>
        await Assert.ThrowsAsync<NodeException>(() => _host.BeginAsync(run));

    [Fact]
    public async Task Why_a_tool_was_ended_is_kept()
    {
        await using (var killed = await _host.BeginAsync("run-a"))
        {
            var carry = killed.CarryAsync(_tool);
            killed.SayWhy("It was killed by anna.");
            _tool.Exit(143);
            await carry.WaitAsync(Patience);
        }

        await using (var refused = await _host.BeginAsync("run-b"))
            await refused.FailAsync(new SessionFailure { ExitCode = 127, Message = "There is no such tool." });

        Assert.Equal(new SessionExit { ExitCode = 143, Why = "It was killed by anna." }, (await RunsHost.ReadAsync(_host.Open(), "run-a")).Exit);
        Assert.Equal(127, (await RunsHost.ReadAsync(_host.Open(), "run-b")).Exit.Failure.ExitCode);
    }

    private long Bytes() => new DirectoryInfo(Path.Combine(_host.Root, "runs")).GetFiles("*.output", SearchOption.AllDirectories).Sum(file => file.Length);

    private static async Task<IEnumerable<string>> RunIds(RunRecords records) =>
        (await records.FindAsync(null)).Select(run => run.RunId).Order(StringComparer.Ordinal);
}
