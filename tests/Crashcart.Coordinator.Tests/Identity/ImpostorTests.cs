using System.Threading.Channels;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Crashcart.Actors;
using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;
using Grpc.Core;
using Grpc.Net.Client;
using ClusterSettings = Crashcart.Actors.ClusterSettings;

namespace Crashcart.Coordinator.Tests.Identity;

/// <summary>Nodes that say what is not theirs to say, and that they are others.</summary>
public sealed class ImpostorTests(TlsFleet fleet) : IClassFixture<TlsFleet>
{
    private const string NotANodes = "which no node may send";

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_node_that_says_it_is_another_is_refused()
    {
        await using var node = new PlayedNode(Shown(PeerRole.Node, "ape"), "bee", PlayedNode.Container("web-bee"));

        _ = node.JoinAsync(fleet.Coordinator.ClusterAddress);

        Assert.Contains("it is node ape and says that it is node bee; start it with --name ape", await Logged("node bee"), StringComparison.Ordinal);
        Assert.Equal(0, fleet.Log.Count(line => line.Contains("Node bee has joined", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_node_does_not_join_as_a_coordinator()
    {
        using ActorSystem impostor = Start(PeerRole.Node, ClusterSettings.CoordinatorRole, fleet.Coordinator.ClusterAddress);

        Assert.Contains("it is node mallory and wants to join the cluster as coord", await Logged("wants to join"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/user/node")]
    [InlineData("/user/node/sessions")]
    public async Task A_node_ends_no_session_of_another(string path)
    {
        using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
        using PlayedStream tool = await ToolAsync(run);
        using var warnings = new Warnings(fleet.Node.Member.System);
        using ActorSystem impostor = Start(PeerRole.Node, ClusterSettings.NodeRole);

        impostor.ActorSelection(Of(fleet.Node.Member.System, path)).Tell(new EndSession { SessionId = tool.Session.Start.SessionId });

        Assert.Contains($"it is node mallory and sent 'end-session' (4201), {NotANodes}", await warnings.LineAsync(NotANodes), StringComparison.Ordinal);
        Assert.False(tool.Session.Ended.IsCompleted);
        await tool.ExitAsync(3);
        Assert.Equal(3, (await run.SessionEndedAsync()).ExitCode);
    }

    [Fact]
    public async Task A_coordinator_ends_a_session_that_another_started()
    {
        using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
        using PlayedStream tool = await ToolAsync(run);
        using ActorSystem other = Start(PeerRole.Coordinator, ClusterSettings.CoordinatorRole);

        other.ActorSelection(Of(fleet.Node.Member.System, "/user/node")).Tell(new EndSession { SessionId = tool.Session.Start.SessionId });

        await tool.Session.Ended.WaitAsync(Soon);
    }

    [Fact]
    public async Task A_node_gives_a_coordinator_no_orders()
    {
        using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
        using PlayedStream tool = await ToolAsync(run);
        using ActorSystem impostor = Start(PeerRole.Node, ClusterSettings.NodeRole);

        impostor.ActorSelection($"akka.ssl.tcp://crashcart@{fleet.Coordinator.ClusterAddress}/user/fleet")
            .Tell(new EndRun { RunId = tool.Session.Start.RunId });

        await Logged($"it is node mallory and sent 'end-run' (4201), {NotANodes}");
        await tool.ExitAsync(3);
        Assert.Equal(3, (await run.SessionEndedAsync()).ExitCode);
    }

    [Fact]
    public async Task A_node_takes_no_member_out_of_the_cluster()
    {
        using ActorSystem impostor = Start(PeerRole.Node, ClusterSettings.NodeRole);
        var down = typeof(Cluster).Assembly.GetType("Akka.Cluster.ClusterUserAction+Down", throwOnError: true)!;

        impostor.ActorSelection($"akka.ssl.tcp://crashcart@{fleet.Coordinator.ClusterAddress}/system/cluster/core/daemon")
            .Tell(Activator.CreateInstance(down, fleet.Node.Member.SelfAddress));

        await Logged("sent 'Akka.Cluster.ClusterUserAction+Down, Akka.Cluster'");
        Assert.Contains(await fleet.Coordinator.NodesAsync(_ => true), listed => listed is { Name: "alpha", State: "up" });
    }

    [Fact]
    public async Task A_sessions_stream_is_its_own_nodes()
    {
        using TestRun run = fleet.Coordinator.Run(TestRun.In("web-1"));
        PlayedSession session = await fleet.Node.SessionAsync();
        using GrpcChannel channel = TestAuthority.Dial(session.Start.StreamEndpoint, Shown(PeerRole.Node, "mallory").Certificate, Trust);
        using AsyncDuplexStreamingCall<NodeFrame, CoordinatorFrame> stolen = new SessionStreams.SessionStreamsClient(channel).Attach();

        await stolen.RequestStream.WriteAsync(new NodeFrame { Ticket = session.Start.Ticket });
        var refusal = await Assert.ThrowsAsync<RpcException>(() => stolen.ResponseStream.MoveNext());

        Assert.Equal("The stream's ticket is unknown, used, void, or another node's.", refusal.Status.Detail);
        // The ticket is still good for whom it is.
        using PlayedStream tool = session.Dial();
        await tool.BeginAsync();
    }

    [Fact]
    public void A_node_that_would_have_another_name_than_its_certificate_does_not_start()
    {
        using MemberIdentity identity = fleet.Authority.Open(PeerRole.Node, "web-1");

        identity.RequireName("web-1");
        var refusal = Assert.Throws<SettingsException>(() => identity.RequireName("web-2"));

        Assert.Contains("start it with --name web-1, or have a certificate issued for web-2", refusal.Message, StringComparison.Ordinal);
    }

    private Trust Trust => new(fleet.Authority.Authority.Certificate, null);

    private ShownIdentity Shown(PeerRole role, string name) => new(IdentityFiles.Read(fleet.Authority.Issue(role, name)).Certificate, Trust);

    private ActorSystem Start(PeerRole certificate, string role, params string[] seeds) => ActorSystem.Create(
        ClusterSettings.SystemName, new ClusterSettings("127.0.0.1", 0, [role], seeds) { Identity = Shown(certificate, "mallory") }.ToSetup());

    private static string Of(ActorSystem system, string path) => $"{Cluster.Get(system).SelfAddress}{path}";

    private async Task<PlayedStream> ToolAsync(TestRun run)
    {
        await run.StartedAsync();
        PlayedStream tool = await fleet.Node.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        return tool;
    }

    private Task<string> Logged(string what) => fleet.Log.LineAsync(line => line.Contains(what, StringComparison.Ordinal)).WaitAsync(Soon);

    /// <summary>What a system warns of.</summary>
    private sealed class Warnings : IDisposable
    {
        private readonly Channel<string> _lines = Channel.CreateUnbounded<string>();
        private readonly ActorSystem _system;
        private readonly IActorRef _heard;

        public Warnings(ActorSystem system)
        {
            _system = system;
            _heard = system.ActorOf(Props.Create(() => new Listener(_lines.Writer)));
            system.EventStream.Subscribe(_heard, typeof(Warning));
        }

        public async Task<string> LineAsync(string what)
        {
            using var patience = new CancellationTokenSource(Soon);
            while (true)
            {
                string line = await _lines.Reader.ReadAsync(patience.Token);
                if (line.Contains(what, StringComparison.Ordinal))
                    return line;
            }
        }

        public void Dispose() => _system.Stop(_heard);

        private sealed class Listener : ReceiveActor
        {
            public Listener(ChannelWriter<string> lines) => Receive<Warning>(warning => lines.TryWrite(warning.Message.ToString()!));
        }
    }
}
