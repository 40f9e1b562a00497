using System.Net.Sockets;
using System.Text.Json;
using Crashcart.Api;
using Crashcart.Audit;
using Crashcart.Coordinator.Auditing;
using Crashcart.Coordinator.Policies;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Identity;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Auditing;

/// <summary>What a coordinator's audit log says of those who use it, by certificate.</summary>
public sealed class AuditTests(TlsFleet fleet) : IClassFixture<TlsFleet>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>One request of each kind, with what its line is about.</summary>
    private static readonly IMessage[] Requests =
    [
        new CordonNodeRequest { Node = "alpha" },
        new SignalRunRequest { RunId = "run-1", Signal = 2 },
        new KillRequest { Id = "run-1" },
        new MountRequest { Container = "web" },
        new UnmountRequest { Container = "web" },
        new PushInput { Start = new PushStart { Name = "toolbox" } },
        new RemoveRunRequest { Id = "run-1" },
        new ReadRecordingRequest { Id = "run-1-0" },
        new RemoveImageRequest { Reference = "toolbox" },
    ];

    private string Log => Path.Combine(fleet.Settings.Audit.Directory, "coordinator");

    [Fact]
    public void Of_every_call_it_is_decided_what_the_log_says() => Assert.All(
        ApiReflection.Descriptor.Services.SelectMany(service => service.Methods),
        method => Assert.True(
            AuditedCalls.IsDecided(
                $"/{method.Service.FullName}/{method.Name}",
                Requests.FirstOrDefault(request => request.Descriptor == method.InputType) ?? method.InputType.Parser.ParseFrom([])),
            method.FullName));

    [Fact]
    public async Task A_session_is_there_before_its_node_is_asked_and_its_end_afterwards()
    {
        using GrpcChannel channel = Dial("alice", "sre");
        RunRequest request = TestRun.In("web-1");
        request.Reason = "ticket 7";
        request.Tool.Environment.Add("PASSWORD=secret");
        using TestRun run = TestRun.Start(new Fleet.FleetClient(channel), request, CancellationToken.None);
        string id = (await run.StartedAsync()).RunId;
        using PlayedStream tool = await fleet.Node.ToolAsync();

        JsonElement start = Assert.Single(Lines("run", id));
        Assert.Equal(("session.start", "user alice", "127.0.0.1", "exec", "alpha", "web-1", "ticket 7", "debug"),
            (Text(start, "event"), Text(start, "user"), Text(start, "from"), Text(start, "verb"), Text(start, "node"), Text(start, "container"), Text(start, "reason"), Text(start, "profile")));
        Assert.Equal(["PASSWORD"], start.GetProperty("env").EnumerateArray().Select(name => name.GetString()));
        Assert.Equal(("user alice", "ticket 7", "web-1"), (tool.Session.Start.Origin.User, tool.Session.Start.Origin.Reason, tool.Session.Start.Origin.Container));
        Assert.Equal(["sre"], tool.Session.Start.Origin.Groups);
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await tool.ExitAsync(3);
        await run.SessionEndedAsync();

        JsonElement end = await LineAsync("run", id, "session.end");
        Assert.Equal((3, 0), (end.GetProperty("exit").GetInt32(), end.GetProperty("outputBytes").GetInt64()));
        Assert.Equal(Text(start, "session"), Text(end, "session"));
        Assert.DoesNotContain("secret", string.Concat(Directory.GetFiles(Log, "*.jsonl").Select(File.ReadAllText)), StringComparison.Ordinal);
        Assert.Equal("", AuditVerifier.Verify(Log, null).Problem);
    }

    [Fact]
    public async Task A_request_that_fails_is_there_with_the_reason()
    {
        using GrpcChannel channel = Dial("carol");
        await Assert.ThrowsAsync<RpcException>(async () => await new Fleet.FleetClient(channel).CordonNodeAsync(new CordonNodeRequest { Node = "nowhere", Cordoned = true }));

        Assert.Equal(["request", "request.failed"], (await LinesAsync("user", "user carol", 2)).Select(line => Text(line, "event")));
        Assert.Equal("nowhere", Text(await LineAsync("user", "user carol", "request"), "node"));
        Assert.Contains("There is no node", Text(await LineAsync("user", "user carol", "request.failed"), "problem"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_certificate_that_is_refused_and_a_handshake_that_fails_are_there()
    {
        using (GrpcChannel channel = TestAuthority.Dial($"https://{fleet.Settings.Listen}", IdentityFiles.Read(fleet.Revoked[PeerRole.User]).Certificate, Trust))
            await Assert.ThrowsAsync<RpcException>(async () => await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest()));
        JsonElement refused = await LineAsync("verb", "connect", "denied");
        Assert.Contains("revoked", Text(refused, "problem"), StringComparison.Ordinal);
        Assert.Equal("127.0.0.1", Text(refused, "from"));

        using (var client = new TcpClient())
        {
            await client.ConnectAsync(fleet.Settings.Listen!);
            await client.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            while (await client.GetStream().ReadAsync(new byte[64]) > 0)
                continue;
        }
        await LineAsync("problem", "The TLS handshake failed.", "denied");
    }

    [Fact]
    public async Task Lines_are_listed_by_user_verb_and_target()
    {
        using GrpcChannel channel = Dial("dora");
        var client = new Crashcart.Api.Audit.AuditClient(channel);
        await new Leases.LeasesClient(channel).KillAsync(new KillRequest { Id = "run-of-dora", Reason = "why not" });

        Assert.Single(await ListAsync(client, new ListAuditRequest { User = "dora", Verb = "kill", Target = "run-of-*" }));
        Assert.Empty(await ListAsync(client, new ListAuditRequest { User = "dor" }));
        Assert.Empty(await ListAsync(client, new ListAuditRequest { User = "dora", Verb = "exec" }));
        Assert.Empty(await ListAsync(client, new ListAuditRequest { User = "dora", UntilUnixMs = 1 }));
        Assert.Single(await ListAsync(client, new ListAuditRequest { Limit = 1 }));
        Assert.Equal(StatusCode.NotFound, (await Assert.ThrowsAsync<RpcException>(() => ListAsync(client, new ListAuditRequest { Node = "nowhere" }))).StatusCode);
    }

    private Trust Trust => IdentityFiles.Read(fleet.Authority.Issue(PeerRole.User, "anybody")).Trust;

    private GrpcChannel Dial(string user, params IReadOnlyList<string> groups)
    {
        IdentityFiles files = IdentityFiles.Read(fleet.Authority.Issue(PeerRole.User, user, life: null, groups));
        return TestAuthority.Dial($"https://{fleet.Settings.Listen}", files.Certificate, files.Trust);
    }

    private static async Task<List<string>> ListAsync(Crashcart.Api.Audit.AuditClient client, ListAuditRequest request)
    {
        using var call = client.ListAudit(request);
        return await call.ResponseStream.ReadAllAsync().Select(line => line.Json).ToListAsync();
    }

    private List<JsonElement> Lines(string field, string value) =>
        [.. new AuditQuery().Read(Log).Select(line => JsonDocument.Parse(line).RootElement).Where(line => Text(line, field) == value)];

    /// <summary>As soon as there are so many.</summary>
    private async Task<List<JsonElement>> LinesAsync(string field, string value, int count)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            if (Lines(field, value) is var lines && lines.Count >= count)
                return lines;
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private async Task<JsonElement> LineAsync(string field, string value, string name)
    {
        for (int count = 1; ; count++)
        {
            if (Lines(field, value).Where(line => Text(line, "event") == name).ToList() is [.., var found])
                return found;
            count = (await LinesAsync(field, value, count)).Count;
        }
    }

    private static string Text(JsonElement line, string name) => line.TryGetProperty(name, out JsonElement value) ? value.GetString()! : "";
}
