using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Threading.Channels;
using Crashcart.Audit.Sinks;

namespace Crashcart.Audit.Tests.Sinks;

public sealed class SinkTests : IDisposable
{
    private const int Unavailable = 503;

    private static readonly SinkPace Quick = new(TimeSpan.FromMilliseconds(5), TimeSpan.FromMilliseconds(20), TimeSpan.Zero);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly TemporaryDirectory _directory = new();
    private readonly List<string> _heard = [];
    private readonly Channel<string> _said = Channel.CreateUnbounded<string>();

    private string Log => _directory.Log;

    private string Socket => Path.Combine(_directory.Path, "socket");

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task Syslog_gets_a_message_of_RFC_5424_for_each_line()
    {
        using var syslog = new SocketServer(Socket);
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Syslog: Socket));

        await log.WriteAsync(TestLogs.Event(1));
        await log.WriteAsync(new AuditEvent("denied") { Reason = "a\n<1>" });

        string[] lines = File.ReadAllLines(TestLogs.Files(Log)[0]);
        string time = JsonDocument.Parse(lines[0]).RootElement.GetProperty("time").GetString()!;
        Assert.Equal($"<85>1 {time} {Environment.MachineName} crashcart-test {Environment.ProcessId} session.start - {lines[0]}", await syslog.NextAsync());
        string denied = await syslog.NextAsync();
        Assert.StartsWith("<84>1 ", denied, StringComparison.Ordinal);
        Assert.EndsWith($" denied - {lines[1]}", denied, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Journald_gets_an_entry_with_fields_for_each_line()
    {
        using var journal = new SocketServer(Socket);
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Journal: Socket));

        await log.WriteAsync(TestLogs.Event(1));

        Assert.Equal(
            [
                "PRIORITY=5", "SYSLOG_FACILITY=10", "SYSLOG_IDENTIFIER=crashcart-test", "CRASHCART_EVENT=session.start", "CRASHCART_SEQ=1",
                "MESSAGE=" + File.ReadAllLines(TestLogs.Files(Log)[0])[0], "",
            ],
            (await journal.NextAsync()).Split('\n'));
    }

    [Fact]
    public async Task A_line_that_is_longer_than_a_datagram_is_sent_short_and_says_which_it_was()
    {
        using var syslog = new SocketServer(Socket);
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Syslog: Socket));

        await log.WriteAsync(TestLogs.Event(1) with { Arguments = [new string('\0', 30 << 10)], Reason = new string('\0', 30 << 10) });
        await log.WriteAsync(TestLogs.Event(2));

        string line = File.ReadAllLines(TestLogs.Files(Log)[0])[0], sent = await syslog.NextAsync();
        JsonElement shortened = JsonDocument.Parse(sent[sent.IndexOf('{', StringComparison.Ordinal)..]).RootElement;
        Assert.Equal(1, shortened.GetProperty("seq").GetInt64());
        Assert.Equal("run-1", shortened.GetProperty("session").GetString());
        Assert.Equal(line.Length, shortened.GetProperty("shortenedFrom").GetInt32());
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(line))), shortened.GetProperty("sha256").GetString());
        Assert.Contains("\"seq\":2", await syslog.NextAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_gets_the_lines_as_they_are_and_can_verify_them()
    {
        await using HttpServer server = await HttpServer.StartAsync();
        using AuditLog log = TestLogs.Open(Log, new AuditLimits(2_000, 1 << 20, null));
        using AuditSinks sinks = Follow(log, new SinkSettings(Http: new HttpSinkSettings(server.Address)));

        for (int i = 0; i < 50; i++)
            await log.WriteAsync(TestLogs.Event(i));

        string copy = Path.Combine(_directory.Path, "copy");
        File.WriteAllLines(copy, await server.TakeAsync(50));
        AuditVerdict verdict = AuditVerifier.Verify(copy, null);
        Assert.Equal(("", 50, 1, 50), (verdict.Problem, verdict.Lines, verdict.First, verdict.Last));
    }

    [Fact]
    public async Task A_server_is_told_of_which_log_and_by_whom_and_the_token_is_read_anew()
    {
        string token = Path.Combine(_directory.Path, "token");
        Write(token, "s3cret\n", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await using HttpServer server = await HttpServer.StartAsync();
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Http: new HttpSinkSettings(server.Address, token)));

        await log.WriteAsync(TestLogs.Event(1));
        Post first = await server.NextAsync();
        Write(token, "0ther", UnixFileMode.UserRead | UnixFileMode.UserWrite);
        await log.WriteAsync(TestLogs.Event(2));

        Assert.Equal(("Bearer s3cret", $"{Environment.MachineName}/crashcart-test", "application/x-ndjson"), (first.Authorization, first.Log, first.ContentType));
        Assert.Equal("Bearer 0ther", (await server.NextAsync()).Authorization);
    }

    [Theory]
    [InlineData("s3cret", UnixFileMode.GroupRead, "others than its owner")]
    [InlineData("", UnixFileMode.None, "holds no token")]
    [InlineData("two words", UnixFileMode.None, "holds no token")]
    public void A_token_that_others_can_read_or_that_is_none_is_refused(string text, UnixFileMode others, string problem)
    {
        string token = Path.Combine(_directory.Path, "token");
        Write(token, text, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);

        Assert.Contains(problem, new HttpSinkSettings(new Uri("https://192.0.2.1"), token).TokenProblem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_is_believed_by_the_given_authority_alone()
    {
        using X509Certificate2 certificate = Certificate(), other = Certificate();
        string authority = Path.Combine(_directory.Path, "ca.crt");
        File.WriteAllText(authority, other.ExportCertificatePem());
        await using HttpServer server = await HttpServer.StartAsync(certificate: certificate);
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Http: new HttpSinkSettings(server.Address, AuthorityFile: authority)));

        await log.WriteAsync(TestLogs.Event(1));
        Assert.Contains("certificate", await HearAsync("does not get to"), StringComparison.Ordinal);
        File.WriteAllText(authority, certificate.ExportCertificatePem());

        Assert.Contains("run-1", (await server.NextAsync()).Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_a_server_refuses_is_sent_again_and_told_once()
    {
        int refusals = 20;
        await using HttpServer server = await HttpServer.StartAsync();
        server.Answer = _ => refusals-- > 0 ? Unavailable : 200;
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Http: new HttpSinkSettings(server.Address)));

        await log.WriteAsync(TestLogs.Event(1));

        Assert.Contains("503", await HearAsync("does not get to"), StringComparison.Ordinal);
        Assert.Contains("again", await NextSentenceAsync(), StringComparison.Ordinal);
        List<string> events = [];
        while (!events.Contains("sink.resumed"))
            events.AddRange((await server.NextAsync()).Lines.Select(line => JsonDocument.Parse(line).RootElement.GetProperty("event").GetString()!));
        Assert.Single(TestLogs.Events(Log), name => name == "sink.failing");
        Assert.Null(Assert.Single(SinkStatus.In(Log)).Since);
    }

    [Fact]
    public async Task A_server_that_takes_less_at_once_is_sent_less_at_once()
    {
        await TestLogs.WriteAsync(Log, 40);
        await using HttpServer server = await HttpServer.StartAsync();
        server.Answer = post => post.Lines.Length > 3 ? 413 : 200;
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Http: new HttpSinkSettings(server.Address)));

        var taken = new List<string>();
        while (taken.Count < 40)
        {
            if ((await server.NextAsync()).Lines is { Length: <= 3 } lines)
                taken.AddRange(lines);
        }
        Assert.Equal(File.ReadAllLines(TestLogs.Files(Log)[0]), taken);
    }

    [Fact]
    public async Task Whoever_does_not_answer_slows_no_writer()
    {
        var answer = new ManualResetEventSlim();
        await using HttpServer server = await HttpServer.StartAsync();
        server.Answer = _ =>
        {
            answer.Wait(Patience);
            return 200;
        };
        using var full = new SocketServer(Socket);
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Syslog: Socket, Http: new HttpSinkSettings(server.Address)));

        // The socket takes some datagrams without being read, and not 1,000.
        await Task.WhenAll(Enumerable.Range(0, 1000).Select(i => log.WriteAsync(TestLogs.Event(i)))).WaitAsync(Patience);

        answer.Set();
        Assert.Equal(1000, (await server.TakeAsync(1000)).Distinct().Count());
        Assert.Equal(1000, (await full.TakeAsync(1000)).Count);
    }

    [Fact]
    public async Task What_was_written_while_nobody_listened_comes_after_restarts_of_both_sides()
    {
        var settings = new SinkSettings(Syslog: Socket);
        using (AuditLog log = TestLogs.Open(Log))
        {
            using AuditSinks sinks = Follow(log, settings);
            await log.WriteAsync(TestLogs.Event(1));
            Assert.Contains($"there is no socket {Socket}.", await HearAsync("does not get to"), StringComparison.Ordinal);
        }
        SinkStatus status = Assert.Single(SinkStatus.In(Log));
        Assert.Equal((0, true), (status.Sent, status.Since is not null));
        Assert.Equal($"there is no socket {Socket}", status.Problem);
        await TestLogs.WriteAsync(Log, 5);

        using var syslog = new SocketServer(Socket);
        using AuditLog next = TestLogs.Open(Log);
        using (AuditSinks sinks = Follow(next, settings))
            Assert.Equal(Sequence(1, 7), Numbers(await syslog.TakeAsync(7)));
        await next.WriteAsync(TestLogs.Event(9));
        using AuditSinks last = Follow(next, settings);

        Assert.Equal(Sequence(8, 1), Numbers(await syslog.TakeAsync(1)));
        Assert.DoesNotContain("sink.gap", TestLogs.Events(Log));
    }

    [Fact]
    public async Task A_receiver_that_was_restarted_gets_the_rest()
    {
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Syslog: Socket));
        using (var before = new SocketServer(Socket))
        {
            await log.WriteAsync(TestLogs.Event(1));
            Assert.Equal(Sequence(1, 1), Numbers(await before.TakeAsync(1)));
        }
        await log.WriteAsync(TestLogs.Event(2));
        await HearAsync("does not get to");

        using var after = new SocketServer(Socket);

        Assert.Equal(Sequence(2, 1), Numbers(await after.TakeAsync(1)));
    }

    [Fact]
    public async Task What_was_written_last_is_sent_before_the_process_ends()
    {
        using var syslog = new SocketServer(Socket);
        AuditLog log = TestLogs.Open(Log);
        using (Follow(log, new SinkSettings(Syslog: Socket)))
        {
            for (int i = 0; i < 8; i++)
                log.Note(TestLogs.Event(i));
            log.Dispose();
        }

        Assert.Equal(8, Assert.Single(SinkStatus.In(Log)).Sent);
    }

    [Fact]
    public async Task Lines_that_retention_drops_before_they_were_sent_are_told_with_their_number()
    {
        var limits = new AuditLimits(2_000, 8_000, null);
        await using HttpServer server = await HttpServer.StartAsync();
        var settings = new SinkSettings(Http: new HttpSinkSettings(server.Address));
        using (AuditLog first = TestLogs.Open(Log, limits))
        {
            using AuditSinks reached = Follow(first, settings);
            await first.WriteAsync(TestLogs.Event(0));
            await server.NextAsync();
        }
        await TestLogs.WriteAsync(Log, 200, limits);
        bool isBroken = true;
        server.Answer = _ => isBroken ? Unavailable : 200;

        using AuditLog log = TestLogs.Open(Log, limits);
        using AuditSinks sinks = Follow(log, settings);

        // Also while it takes nothing.
        string told = await HearAsync("were dropped before");
        await HearAsync("does not get to");
        JsonElement gap = TestLogs.Lines(Log).First(line => line.GetProperty("event").GetString() == "sink.gap");
        long through = gap.GetProperty("throughSeq").GetInt64();
        Assert.Equal((2, through - 1), (gap.GetProperty("fromSeq").GetInt64(), gap.GetProperty("omitted").GetInt64()));
        Assert.Contains($"lines 2 to {through} were dropped", told, StringComparison.Ordinal);
        Assert.NotNull(Assert.Single(SinkStatus.In(Log)).Since);
        Assert.Equal("", AuditVerifier.Verify(Log, null).Problem);
        isBroken = false;
        Assert.Contains("again", await HearAsync("gets to"), StringComparison.Ordinal);
    }

    /// <summary>2,000 lines under retention, a server that refuses a third of what comes, and five processes one after the other.</summary>
    [Fact]
    public async Task Every_line_was_taken_or_is_told_to_be_lost()
    {
        var random = new Random(1);
        var known = new HashSet<long>();
        bool isEnd = false;
        await using HttpServer server = await HttpServer.StartAsync();
        server.Answer = post =>
        {
            if (random.Next(3) == 0)
                return Unavailable;
            known.UnionWith(Numbers(post.Lines));
            isEnd |= post.Lines.Any(line => line.Contains("\"end\"", StringComparison.Ordinal));
            return 200;
        };
        var settings = new SinkSettings(Http: new HttpSinkSettings(server.Address));
        var limits = new AuditLimits(3_000, 30_000, null);
        for (int process = 0; process < 5; process++)
        {
            using AuditLog log = TestLogs.Open(Log, limits);
            using AuditSinks sinks = Follow(log, settings);
            await log.WriteAsync(TestLogs.Event(0));
            await server.NextAsync();
            await Task.WhenAll(Enumerable.Range(0, 400).Select(i => Task.Run(() => log.WriteAsync(TestLogs.Event(i)))));
        }
        using (AuditLog last = TestLogs.Open(Log, limits))
        {
            using AuditSinks sinks = Follow(last, settings);
            await last.WriteAsync(new AuditEvent("end"));
            while (!isEnd)
                await server.NextAsync();
        }

        _said.Writer.Complete();
        await foreach (string sentence in _said.Reader.ReadAllAsync())
        {
            if (sentence.Split(' ') is [.., "lines", var from, "to", var through, "were", "dropped", "before", _, "had", "them.", _, _, _, _])
                known.UnionWith(Enumerable.Range(Number(from), Number(through) - Number(from) + 1).Select(number => (long)number));
        }
        Assert.Equal(Sequence(1, (int)known.Max()), known.Order());

        static int Number(string text) => int.Parse(text, System.Globalization.CultureInfo.InvariantCulture);
    }

    [Fact]
    public async Task A_log_that_was_put_back_to_an_older_state_is_told_and_sent()
    {
        await TestLogs.WriteAsync(Log, 3);
        string old = Path.Combine(_directory.Path, "old");
        Copy(Log, old);
        using var syslog = new SocketServer(Socket);
        using (AuditLog log = TestLogs.Open(Log))
        {
            await log.WriteAsync(TestLogs.Event(1));
            using AuditSinks sinks = Follow(log, new SinkSettings(Syslog: Socket));
            Assert.Equal(Sequence(1, 4), Numbers(await syslog.TakeAsync(4)));
        }
        Copy(old, Log);

        using AuditLog changed = TestLogs.Open(Log);
        using AuditSinks following = Follow(changed, new SinkSettings(Syslog: Socket));

        Assert.Contains("begun anew", await HearAsync("begun anew"), StringComparison.Ordinal);
        Assert.Equal(Sequence(1, 4), Numbers(await syslog.TakeAsync(4)));
        Assert.Contains("sink.gap", TestLogs.Events(Log));
    }

    [Fact]
    public async Task The_log_of_another_process_is_sent_too()
    {
        string other = Path.Combine(_directory.Path, "other");
        using var syslog = new SocketServer(Socket);
        using AuditLog log = TestLogs.Open(Log);
        using var sinks = new AuditSinks(new SinkSettings(Syslog: Socket), Quick, TimeProvider.System, Say);
        sinks.Follow(other, "crashcart-ca", log);

        await TestLogs.WriteAsync(other, 2);

        Assert.All(await syslog.TakeAsync(2), message => Assert.Contains(" crashcart-ca ", message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_cursor_that_is_damaged_sends_all_again_and_says_so()
    {
        await TestLogs.WriteAsync(Log, 3);
        File.WriteAllText(Path.Combine(Log, "sink-syslog"), "000000000002 what");
        using var syslog = new SocketServer(Socket);
        using AuditLog log = TestLogs.Open(Log);
        using AuditSinks sinks = Follow(log, new SinkSettings(Syslog: Socket));

        Assert.Contains("sink-syslog", await NextSentenceAsync(), StringComparison.Ordinal);
        Assert.Equal(Sequence(1, 3), Numbers(await syslog.TakeAsync(3)));
    }

    private AuditSinks Follow(AuditLog log, SinkSettings settings)
    {
        var sinks = new AuditSinks(settings, Quick, TimeProvider.System, Say);
        sinks.Follow(log, "crashcart-test");
        return sinks;
    }

    private void Say(string sentence) => _said.Writer.TryWrite(sentence);

    private async Task<string> NextSentenceAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            _heard.Add(await _said.Reader.ReadAsync(patience.Token));
            return _heard[^1];
        }
        catch (OperationCanceledException e)
        {
            throw new TimeoutException($"Nothing more is said. So far:\n{string.Join('\n', _heard)}\nThe log:\n{string.Join('\n', TestLogs.Events(Log).TakeLast(20))}", e);
        }
    }

    private async Task<string> HearAsync(string words)
    {
        while (true)
        {
            if (await NextSentenceAsync() is var sentence && sentence.Contains(words, StringComparison.Ordinal))
                return sentence;
        }
    }

    private static IEnumerable<long> Sequence(int first, int count) => Enumerable.Range(first, count).Select(number => (long)number);

    private static List<long> Numbers(IEnumerable<string> messages) =>
        [.. messages.Select(message => JsonDocument.Parse(message[message.IndexOf('{', StringComparison.Ordinal)..]).RootElement.GetProperty("seq").GetInt64())];

    private static void Write(string path, string text, UnixFileMode mode)
    {
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, mode);
    }

    private static void Copy(string from, string to)
    {
        Directory.CreateDirectory(to);
        foreach (string file in Directory.EnumerateFiles(from))
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)), overwrite: true);
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using X509Certificate2 made = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddHours(-1), DateTimeOffset.UtcNow.AddHours(1));
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), null);
    }
}
