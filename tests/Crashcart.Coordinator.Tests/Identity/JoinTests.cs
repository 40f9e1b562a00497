using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Audit;
using Crashcart.Coordinator.Auditing;
using Crashcart.Coordinator.Authority;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Coordinator.Tests.Identity;

/// <summary>Hosts that become nodes by a token, at a real listener.</summary>
public sealed class JoinTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private readonly TestAuthority _authority = new();
    private readonly TestLog _log = new();
    private readonly IPEndPoint _address = TestCoordinator.FreeEndPoint();
    private readonly DirectoryInfo _auditDirectory = Directory.CreateTempSubdirectory("join-audit-");
    private readonly AuditLog _audit;
    private readonly Denials _denials;
    private MemberIdentity _coordinator = null!;
    private WebApplication _server = null!;

    public JoinTests()
    {
        _audit = new AuditLog(_auditDirectory.FullName, new AuditLimits(1 << 20, 1 << 30, null), TimeProvider.System, _ => { });
        _denials = new Denials(_audit, TimeProvider.System);
    }

    public async Task InitializeAsync()
    {
        _coordinator = _authority.Open(PeerRole.Coordinator, "c1");
        _server = await Serve(_address, _coordinator);
    }

    public async Task DisposeAsync()
    {
        await _server.DisposeAsync();
        _coordinator.Dispose();
    }

    public void Dispose()
    {
        _authority.Dispose();
        _log.Dispose();
        _denials.Dispose();
        _audit.Dispose();
        _auditDirectory.Delete(recursive: true);
    }

    [Fact]
    public async Task A_token_makes_a_host_a_node_once()
    {
        string token = Token(hosts: "10.0.0.7");

        Entered entered = await Enter(token, "web-1");

        Assert.Equal((PeerRole.Node, "web-1"), (Peer.Of(entered.Certificate)!.Role, Peer.Of(entered.Certificate)!.Name));
        Assert.Null(new Trust(_authority.Authority.Certificate, null).Refusal(entered.Certificate, PeerRole.Node));
        foreach (string host in (string[])["web-1", "127.0.0.1", "10.0.0.7"])
            Assert.True(entered.Certificate.MatchesHostname(host, allowCommonName: false), host);
        Assert.False(entered.Certificate.MatchesHostname("10.0.0.8"));
        Assert.Equal(["10.0.0.1:7420"], entered.Seeds);
        Assert.Contains("was used by web-1 already", await Refused(token, "web-2"));
        Assert.Contains("was used by web-1 already", await Refused(token, "web-1"));
        Assert.Single(Nodes);
        await _log.LineAsync(line => line.Contains("Node web-1 at 127.0.0.1 joined", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_is_not_let_in_is_in_the_audit_log_and_his_tokens_secret_is_not()
    {
        string used = Token(), expired = _authority.Authority.CreateToken(null, [], 1, -Hour, DateTimeOffset.UtcNow), guessed = $"{used[..8]}.{new string('1', 32)}";
        await Enter(used, "web-1");

        (string Token, string Name, string Problem)[] refused =
        [
            (used, "web-2", "was used by web-1"),
            (expired, "web-3", "expired at"),
            (guessed, "web-4", "none of this fleet's"),
            ("nonsense", "web-5", "none of this fleet's"),
        ];
        foreach ((string token, string name, _) in refused)
            await Problem(() => Enter(token, name));
        using (var plain = new TcpClient())
        {
            await plain.ConnectAsync(_address);
            await plain.GetStream().WriteAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
            _ = await plain.GetStream().ReadAsync(new byte[1]);
        }

        await _server.StopAsync();
        _audit.Dispose();
        string[] lines = [.. new AuditQuery().Read(_auditDirectory.FullName)];
        JsonElement[] told = [.. lines.Select(line => JsonDocument.Parse(line).RootElement).Where(line => Text(line, "verb") == "join")];
        Assert.Equal(
            refused.Select(one => ("denied", one.Name, "127.0.0.1", one.Token == "nonsense" ? "" : $"token {one.Token[..8]}")),
            told.Select(line => (Text(line, "event"), Text(line, "target"), Text(line, "from"), Text(line, "user"))));
        Assert.All(refused.Zip(told), pair => Assert.Contains(pair.First.Problem, Text(pair.Second, "problem"), StringComparison.Ordinal));
        Assert.Contains(lines, line => line.Contains("\"verb\":\"connect\"", StringComparison.Ordinal) && line.Contains("The TLS handshake failed.", StringComparison.Ordinal));
        Assert.All((string[])[used, expired, guessed], token => Assert.DoesNotContain(token[9..], string.Concat(lines), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Of_many_that_use_a_token_at_once_one_gets_in()
    {
        string token = Token();

        bool[] entered = await Task.WhenAll(Enumerable.Range(0, 8).Select(async index =>
        {
            try
            {
                await Enter(token, $"web-{index}");
                return true;
            }
            catch (SettingsException e) when (e.Message.Contains("already", StringComparison.Ordinal))
            {
                return false;
            }
        }));

        Assert.Single(entered, one => one);
        Assert.Single(Nodes);
    }

    [Fact]
    public async Task An_expired_token_is_refused()
    {
        string token = _authority.Authority.CreateToken(null, [], 1, Hour, DateTimeOffset.UtcNow - 2 * Hour);

        Assert.Contains("expired at", await Refused(token, "web-1"));
        Assert.Empty(Nodes);
    }

    [Fact]
    public async Task A_token_that_was_taken_back_is_refused()
    {
        string token = Token();
        _authority.Authority.DeleteToken(token[..3]);

        Assert.Contains("or was taken back", await Refused(token, "web-1"));
        Assert.Empty(Nodes);
    }

    [Fact]
    public async Task Every_changed_digit_of_a_token_is_refused()
    {
        string token = Token();
        for (int at = 0; at < token.Length; at++)
        {
            char[] changed = token.ToCharArray();
            changed[at] = changed[at] == '0' ? '1' : '0';
            Assert.Contains("none of this fleet's", await Refused(new string(changed), "web-1"));
        }

        Assert.Empty(Nodes);
        await Enter(token, "web-1");
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("../../ca.key")]
    [InlineData("../ca/x.0123456789abcdef0123456789abcdef")]
    [InlineData("0123456\0.0123456789abcdef0123456789abcdef")]
    public async Task What_is_no_token_is_refused(string token) => Assert.Contains("none of this fleet's", await Refused(token, "web-1"));

    [Fact]
    public async Task A_nodes_name_is_taken_over_only_by_a_token_for_it()
    {
        _authority.Issue(PeerRole.Node, "web-1");
        string token = Token();

        Assert.Contains("There is a node web-1 already", await Refused(token, "web-1"));
        await Enter(token, "web-2");
        string forIt = Token(node: "web-1");
        Assert.Contains("is for the node web-1", await Refused(forIt, "web-3"));
        await Enter(forIt, "web-1");

        Assert.Equal(["web-1", "web-1", "web-2"], Nodes.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_name_whose_certificate_was_revoked_is_free()
    {
        _authority.Revoke(_authority.Issue(PeerRole.Node, "web-1"));

        Entered entered = await Enter(Token(), "web-1");

        Assert.Equal(1, entered.Trust.Revoked?.Serials.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData("../web")]
    [InlineData("web 1")]
    public async Task A_bad_name_is_refused_and_the_token_stays_good(string name)
    {
        string token = Token();

        Assert.Contains("is no name for a node", await Problem(() => Enter(token, name)));
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        ByteString signing = ByteString.CopyFrom(new CertificateRequest("CN=x", key, HashAlgorithmName.SHA384).CreateSigningRequest());
        using var channel = TestAuthority.Dial($"https://{_address}", certificate: null, (_, _) => true);
        var refused = await Assert.ThrowsAsync<RpcException>(async () =>
            await new FleetJoin.FleetJoinClient(channel).JoinAsync(new JoinRequest { Token = token, Name = name, SigningRequest = signing }));
        Assert.Equal(StatusCode.InvalidArgument, refused.StatusCode);

        await Enter(token, "web-1");
    }

    [Fact]
    public async Task A_coordinator_of_another_authority_is_never_sent_the_token()
    {
        using var other = new TestAuthority();
        string problem = await Problem(() => Entry(hash: other.Authority.Hash).EnterAsync(Token(), "web-1"));

        Assert.Contains($"not {other.Authority.Hash}", problem);
        Assert.Contains("The token was not sent.", problem);
        Assert.Empty(Nodes);
    }

    [Theory]
    [InlineData(PeerRole.Node)]
    [InlineData(PeerRole.User)]
    public async Task Who_answers_in_a_coordinators_place_is_never_sent_the_token(PeerRole role)
    {
        IPEndPoint address = TestCoordinator.FreeEndPoint();
        using MemberIdentity mallory = _authority.Open(role, "mallory");
        await using WebApplication server = await Serve(address, mallory);
        string token = Token();

        string problem = await Problem(() => Entry(address).EnterAsync(token, "web-1"));

        Assert.Contains("is not believed to be a coordinator", problem);
        Assert.Contains("The token was not sent.", problem);
        await Enter(token, "web-1");
    }

    [Fact]
    public async Task Words_of_a_stranger_do_nothing_to_the_terminal()
    {
        IPEndPoint address = TestCoordinator.FreeEndPoint();
        WebApplicationBuilder builder = GrpcServer.Builder(NullLoggerFactory.Instance, 1024, kestrel => kestrel.Listen(address, listen =>
        {
            listen.Protocols = HttpProtocols.Http2;
            listen.UseHttps(_coordinator.Certificate);
        }));
        await using WebApplication stranger = builder.Build();
        stranger.MapGrpcService<Stranger>();
        await stranger.StartAsync();
        var errors = new StringWriter();
        string directory = Path.Combine(_authority.Location, "node");

        int status = await new JoinCommand().Parse([address.ToString(), "--token", Token(), "--ca-hash", _authority.Authority.Hash, "--tls-dir", directory])
            .InvokeAsync(new System.CommandLine.InvocationConfiguration { Error = errors });

        Assert.Equal((1, $"crashcart-node: {address} does not let this host join: \ufffd[2Jno{Environment.NewLine}"), (status, errors.ToString()));
        Assert.False(Directory.Exists(directory));
    }

    [Fact]
    public async Task Where_nobody_listens_is_told_with_what_to_look_at()
    {
        IPEndPoint nobody = TestCoordinator.FreeEndPoint();

        Assert.Contains($"--join-listen {nobody}", await Problem(() => Entry(nobody).EnterAsync(Token(), "web-1")));
    }

    [Fact]
    public async Task Nothing_else_is_served_there()
    {
        using var channel = TestAuthority.Dial($"https://{_address}", certificate: null, (_, _) => true);

        foreach (Func<Task> call in (Func<Task>[])
        [
            async () => await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest()),
            async () => await new Leases.LeasesClient(channel).ListLeasesAsync(new ListLeasesRequest()),
            async () => await new SessionStreams.SessionStreamsClient(channel).Attach().ResponseStream.MoveNext(CancellationToken.None),
        ])
            Assert.Equal(StatusCode.Unimplemented, (await Assert.ThrowsAsync<RpcException>(call)).StatusCode);
    }

    /// <summary>More than there is room for, of one address and of many, and more of them while hosts join.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(50)]
    public async Task Connections_that_say_nothing_keep_no_host_out(int addresses)
    {
        List<Socket> silent = [];
        try
        {
            for (int i = 0; i < 200; i++)
                silent.Add(await Silent(i % addresses));
            foreach (string name in (string[])["web-1", "web-2", "web-3"])
            {
                Task<Entered> entering = Enter(Token(), name);
                for (int i = 0; i < 32; i++)
                    silent.Add(await Silent(i % addresses));
                await entering;
            }

            Assert.Equal(["web-1", "web-2", "web-3"], Nodes.Order(StringComparer.Ordinal));
        }
        finally
        {
            silent.ForEach(socket => socket.Dispose());
        }
    }

    [Fact]
    public async Task The_oldest_of_the_address_that_has_the_most_connections_gives_way()
    {
        using Socket elsewhere = await Silent(100);
        using Socket oldest = await Silent(1);
        List<Socket> others = [];
        for (int i = 0; i < 64; i++)
            others.Add(await Silent(1));

        // It is told by its end.
        Assert.True(await IsEnded(oldest));
        Assert.False(elsewhere.Poll(0, SelectMode.SelectRead));
        others.ForEach(socket => socket.Dispose());
    }

    /// <summary>10,000 cases.</summary>
    [Fact]
    public void No_signing_request_whatever_it_says_does_more_than_be_refused()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        byte[] good = new CertificateRequest(new Peer(PeerRole.Node, "web-1", [], "").ToSubject(), key, HashAlgorithmName.SHA384).CreateSigningRequest();
        var random = new Random(1);
        int refused = 0;
        for (int round = 0; round < 10_000; round++)
        {
            byte[] changed = random.Next(4) == 0 ? good[..random.Next(good.Length)] : [.. good];
            for (int changes = random.Next(4); changes > 0 && changed.Length > 0; changes--)
                changed[random.Next(changed.Length)] = (byte)random.Next(256);
            try
            {
                JoinService.KeyOf(changed);
            }
            catch (RpcException e) when (e.StatusCode == StatusCode.InvalidArgument)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 5_000, 9_999);
    }

    [Fact]
    public void A_key_on_another_curve_or_of_another_kind_is_refused()
    {
        using var rsa = RSA.Create(2048);
        using var small = ECDsa.Create(ECCurve.CreateFromFriendlyName("secp224r1"));
        var subject = new X500DistinguishedName("CN=web-1");
        foreach (byte[] request in (byte[][])
        [
            new CertificateRequest(subject, rsa, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1).CreateSigningRequest(),
            new CertificateRequest(subject, small, HashAlgorithmName.SHA256).CreateSigningRequest(),
        ])
            Assert.Equal(StatusCode.InvalidArgument, Assert.Throws<RpcException>(() => JoinService.KeyOf(request)).StatusCode);
    }

    /// <param name="number">Of an address of the loopback from which it comes.</param>
    private async Task<Socket> Silent(int number)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(new IPAddress([127, 0, 1, (byte)(number + 1)]), 0));
        await socket.ConnectAsync(_address);
        return socket;
    }

    private static async Task<bool> IsEnded(Socket socket)
    {
        try
        {
            return await socket.ReceiveAsync(new byte[1]).WaitAsync(TimeSpan.FromSeconds(3)) == 0;
        }
        catch (SocketException)
        {
            return true;
        }
    }

    private static string Text(JsonElement line, string name) => line.TryGetProperty(name, out JsonElement value) ? value.GetString()! : "";

    private List<string> Nodes =>
        [.. _authority.Authority.Issued().Select(certificate => Peer.Of(certificate)!).Where(peer => peer.Role == PeerRole.Node && peer.Name != "mallory").Select(peer => peer.Name)];

    private string Token(string? node = null, params IReadOnlyList<string> hosts) => _authority.Authority.CreateToken(node, hosts, 1, Hour, DateTimeOffset.UtcNow);

    private Task<Entered> Enter(string token, string name) => Entry().EnterAsync(token, name);

    private FleetEntry Entry(IPEndPoint? address = null, string? hash = null) =>
        new(new HostPort("127.0.0.1", (address ?? _address).Port), hash ?? _authority.Authority.Hash);

    private async Task<string> Refused(string token, string name)
    {
        string problem = await Problem(() => Enter(token, name));
        Assert.StartsWith($"{_address} does not let this host join: ", problem);
        return problem;
    }

    private static async Task<string> Problem(Func<Task> entry) => (await Assert.ThrowsAsync<SettingsException>(entry)).Message;

    private async Task<WebApplication> Serve(IPEndPoint address, MemberIdentity identity)
    {
        WebApplication server = JoinServer.Create(
            address, identity, _ => new JoinService(_authority.Location, ["10.0.0.1:7420"], _denials, new Microsoft.Extensions.Logging.Logger<JoinService>(_log)), _denials, NullLoggerFactory.Instance);
        await server.StartAsync();
        return server;
    }

    private sealed class Stranger : FleetJoin.FleetJoinBase
    {
        public override Task<GetAuthorityResponse> GetAuthority(GetAuthorityRequest request, ServerCallContext context) =>
            throw new RpcException(new Status(StatusCode.PermissionDenied, "\u001b[2Jno"));
    }
}
