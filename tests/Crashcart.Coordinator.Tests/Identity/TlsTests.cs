using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Identity;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Identity;

/// <summary>A coordinator that speaks TLS, and whoever comes.</summary>
public sealed class TlsTests(TlsFleet fleet) : IClassFixture<TlsFleet>
{
    /// <summary>A revocation is in force everywhere within that time.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_run_goes_from_a_users_certificate_to_a_nodes()
    {
        using GrpcChannel channel = Dial(fleet.Authority.Issue(PeerRole.User, "alice"));
        using TestRun run = TestRun.Start(new Fleet.FleetClient(channel), TestRun.In("web-1"), CancellationToken.None);
        await run.StartedAsync();
        using PlayedStream tool = await fleet.Node.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await tool.ExitAsync(3);

        Assert.Equal(3, (await run.SessionEndedAsync()).ExitCode);
        Assert.StartsWith("https://127.0.0.1:", tool.Session.Start.StreamEndpoint);
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("another authority's")]
    [InlineData("expired")]
    [InlineData("revoked")]
    [InlineData("a node's")]
    [InlineData("a coordinator's")]
    public async Task A_client_without_a_users_certificate_is_served_nothing(string shown)
    {
        using GrpcChannel channel = TestAuthority.Dial(Url, Certificate(shown, PeerRole.User), Trust);

        RpcException refusal = await Assert.ThrowsAsync<RpcException>(async () => await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest()));

        // The client has ended its handshake when the coordinator refuses: which of the two it sees is the library's affair.
        Assert.Contains(refusal.StatusCode, new[] { StatusCode.Unavailable, StatusCode.Internal });
    }

    [Theory]
    [InlineData("nothing")]
    [InlineData("another authority's")]
    [InlineData("expired")]
    [InlineData("revoked")]
    [InlineData("a user's")]
    [InlineData("a coordinator's")]
    public async Task A_peer_without_a_nodes_certificate_gets_no_stream(string shown)
    {
        using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
        PlayedSession session = await fleet.Node.SessionAsync();
        using GrpcChannel channel = TestAuthority.Dial(session.Start.StreamEndpoint, Certificate(shown, PeerRole.Node), Trust);
        using AsyncDuplexStreamingCall<NodeFrame, CoordinatorFrame> stolen = new SessionStreams.SessionStreamsClient(channel).Attach();

        await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await stolen.RequestStream.WriteAsync(new NodeFrame { Ticket = session.Start.Ticket });
            await stolen.ResponseStream.MoveNext();
        });

        // The ticket is still good for whom it is.
        using PlayedStream tool = session.Dial();
        await tool.BeginAsync();
    }

    [Theory]
    [InlineData("another authority's", "not signed by this fleet's authority")]
    [InlineData("expired", "expired since")]
    [InlineData("revoked", "a revoked certificate")]
    [InlineData("a user's", "is user mallory, and this is for coordinators and nodes only")]
    public async Task A_member_needs_a_members_certificate(string shown, string reason)
    {
        var identity = new ShownIdentity(Certificate(shown, PeerRole.Node)!, Trust);
        await using var node = new PlayedNode(identity, "cat", PlayedNode.Container("web-cat"));

        Task joined = node.JoinAsync(fleet.Coordinator.ClusterAddress);

        await fleet.Log.LineAsync(line => line.Contains("is not taken: ", StringComparison.Ordinal) && line.Contains(reason, StringComparison.Ordinal)).WaitAsync(Soon);
        Assert.False(joined.IsCompleted);
        Assert.DoesNotContain(await fleet.Coordinator.NodesAsync(_ => true), listed => listed.Name == node.Name);
    }

    [Fact]
    public async Task A_member_that_speaks_in_the_clear_is_none()
    {
        await using var node = new PlayedNode("dog", PlayedNode.Container("web-dog"));

        Task joined = node.JoinAsync(fleet.Coordinator.ClusterAddress);

        await fleet.Log.LineAsync(line => line.Contains("is not taken: ", StringComparison.Ordinal) && line.Contains("frame", StringComparison.Ordinal)).WaitAsync(Soon);
        Assert.False(joined.IsCompleted);
        Assert.DoesNotContain(await fleet.Coordinator.NodesAsync(_ => true), listed => listed.Name == node.Name);
    }

    [Fact]
    public async Task A_client_of_another_host_is_not_deceived_by_a_good_certificate()
    {
        using GrpcChannel channel = TestAuthority.Dial(
            Url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal), Certificate("", PeerRole.User), Trust);

        RpcException refusal = await Assert.ThrowsAsync<RpcException>(async () => await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest()));

        Assert.Contains("is not for localhost", refusal.Status.DebugException!.GetBaseException().Message);
    }

    [Fact]
    public async Task A_revoked_users_open_connection_ends()
    {
        string alice = fleet.Authority.Issue(PeerRole.User, "alice");
        using GrpcChannel channel = Dial(alice);
        using TestRun run = TestRun.Start(new Fleet.FleetClient(channel), TestRun.In("web-1"), CancellationToken.None);
        await run.StartedAsync();
        using PlayedStream tool = await fleet.Node.ToolAsync();

        fleet.Authority.Revoke(alice);

        await tool.Session.Ended.WaitAsync(Soon);
        await Assert.ThrowsAsync<RpcException>(async () => await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest()));
    }

    [Fact]
    public async Task A_revoked_node_is_lost_and_does_not_come_back()
    {
        string directory = fleet.Authority.Issue(PeerRole.Node, "fox");
        // It has not heard of it itself.
        var identity = new ShownIdentity(IdentityFiles.Read(directory).Certificate, Trust);
        await using var node = new PlayedNode(identity, "fox", PlayedNode.Container("web-fox"));
        await node.JoinAsync(fleet.Coordinator.ClusterAddress);

        fleet.Authority.Revoke(directory);

        await fleet.Coordinator.NodesAsync(nodes => nodes.Any(listed => listed.Name == node.Name && listed.State == "unreachable")).WaitAsync(Soon);
    }

    [Fact]
    public async Task Another_coordinator_hears_of_a_revocation_and_keeps_it()
    {
        CoordinatorSettings settings = TestCoordinator.Settings(fleet.Authority, "c2", fleet.Coordinator.ClusterAddress) with { AuthorityDirectory = "/nonexistent" };
        string bob = fleet.Authority.Issue(PeerRole.User, "bob");
        string list = Path.Combine(settings.StateDirectory, IdentityFiles.RevocationName);
        await using (await TestCoordinator.StartAsync(settings))
        {
            using GrpcChannel channel = TestAuthority.Dial($"https://{settings.Listen}", IdentityFiles.Read(bob).Certificate, Trust);
            await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest());

            fleet.Authority.Revoke(bob);

            using var patience = new CancellationTokenSource(Soon);
            await Assert.ThrowsAsync<RpcException>(async () =>
            {
                while (!patience.IsCancellationRequested)
                    await new Fleet.FleetClient(channel).ListNodesAsync(new ListNodesRequest());
            });
            Assert.Contains(IdentityFiles.Read(bob).Certificate.SerialNumber, RevocationList.ReadPem(File.ReadAllText(list), fleet.Authority.Authority.Certificate).Serials);
        }
    }

    [Fact]
    public async Task A_renewed_certificate_is_shown_without_a_restart_and_open_connections_stay()
    {
        using GrpcChannel before = Dial(fleet.Authority.Issue(PeerRole.User, "alice"));
        await new Fleet.FleetClient(before).ListNodesAsync(new ListNodesRequest());
        string old = IdentityFiles.Read(fleet.Settings.TlsDirectory!).Certificate.SerialNumber;

        IssuedInPlace(fleet.Settings.TlsDirectory!);

        using var patience = new CancellationTokenSource(Soon);
        while (await SerialShown() == old)
            patience.Token.ThrowIfCancellationRequested();
        await new Fleet.FleetClient(before).ListNodesAsync(new ListNodesRequest());
    }

    [Fact]
    public async Task Connections_that_say_nothing_keep_no_member_out()
    {
        List<TcpClient> silent = [.. Enumerable.Range(0, 400).Select(_ => new TcpClient())];
        try
        {
            await Task.WhenAll(silent.Select(client => client.ConnectAsync(Cluster)));

            using SslStream member = await AsMember();
        }
        finally
        {
            silent.ForEach(client => client.Dispose());
        }
    }

    /// <summary>A host that loses its power leaves connections behind, and comes again.</summary>
    [Fact]
    public async Task Of_a_member_with_more_connections_than_eight_the_oldest_gives_way()
    {
        using SslStream another = await AsMember("mouse");
        List<SslStream> connections = [];
        List<Task<int>> ends = [];
        for (int i = 0; i < 9; i++)
        {
            connections.Add(await AsMember("rat"));
            ends.Add(connections[i].ReadAsync(new byte[1]).AsTask());
        }

        await fleet.Log.LineAsync(line => line.Contains("rat", StringComparison.Ordinal) && line.Contains("has more than 8", StringComparison.Ordinal)).WaitAsync(Soon);
        Task<int> ended = await Task.WhenAny(ends).WaitAsync(Soon);
        // Of two that are made at once the second may be there first.
        Assert.InRange(ends.IndexOf(ended), 0, 3);
        Assert.All(ends.Append(another.ReadAsync(new byte[1]).AsTask()).Where(end => end != ended), end => Assert.False(end.IsCompleted));
        connections.ForEach(connection => connection.Dispose());
    }

    [Fact]
    public async Task A_member_that_sends_a_frame_without_end_is_heard_no_longer()
    {
        using SslStream member = await AsMember();

        await member.WriteAsync(new byte[] { 0xff, 0xff, 0xff, 0x7f });

        await member.CopyToAsync(Stream.Null).WaitAsync(Soon);
        Assert.Contains("a frame of 2147483647 bytes", await fleet.Log.LineAsync(line => line.Contains("a frame of", StringComparison.Ordinal)).WaitAsync(Soon));
    }

    private IPEndPoint Cluster => IPEndPoint.Parse(fleet.Coordinator.ClusterAddress);

    /// <summary>A connection to the cluster's listener, after the handshake.</summary>
    private async Task<SslStream> AsMember(string name = "mallory")
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(Cluster);
        var tls = new SslStream(socket.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions
            {
                TargetHost = "127.0.0.1",
                ClientCertificates = [IdentityFiles.Read(fleet.Authority.Issue(PeerRole.Node, name)).Certificate],
                RemoteCertificateValidationCallback = (_, shown, _, _) => Trust.Require(shown, "127.0.0.1", PeerRole.Coordinator) is not null,
            },
            CancellationToken.None);
        return tls;
    }

    private string Url => $"https://{fleet.Settings.Listen}";

    private Trust Trust => new(fleet.Authority.Authority.Certificate, null);

    private GrpcChannel Dial(string directory) => TestAuthority.Dial(Url, IdentityFiles.Read(directory).Certificate, Trust);

    private void IssuedInPlace(string directory) => Authority.IssuedIdentity.Write(
        fleet.Authority.Authority, new Peer(PeerRole.Coordinator, "c1", [], ""), ["127.0.0.1"], TimeSpan.FromDays(1), directory, DateTimeOffset.UtcNow);

    private async Task<string> SerialShown()
    {
        string? serial = null;
        using var client = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => (serial = ((X509Certificate2)shown!).SerialNumber) is null },
        });
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync(Url));
        return serial!;
    }

    /// <summary>What a peer shows that is not who it must be.</summary>
    private X509Certificate2? Certificate(string shown, PeerRole role)
    {
        if (shown == "nothing")
            return null;
        using var other = new TestAuthority();
        string directory = shown switch
        {
            "another authority's" => other.Issue(role, "mallory"),
            "expired" => fleet.Authority.Issue(role, "mallory", life: TimeSpan.FromSeconds(-1)),
            "revoked" => fleet.Revoked[role],
            "a node's" => fleet.Authority.Issue(PeerRole.Node, "mallory"),
            "a coordinator's" => fleet.Authority.Issue(PeerRole.Coordinator, "mallory"),
            "a user's" => fleet.Authority.Issue(PeerRole.User, "mallory"),
            _ => fleet.Authority.Issue(role, "mallory"),
        };
        return IdentityFiles.Read(directory).Certificate;
    }
}
