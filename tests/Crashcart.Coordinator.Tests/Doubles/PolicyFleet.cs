using Crashcart.Coordinator.Hosting;
using Crashcart.Coordinator.Recordings;
using Crashcart.Node.Identity;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>A coordinator with a policy, two nodes that it drives, and users by certificate: alice of the group web, sam of sre, eve of none.</summary>
public sealed class PolicyFleet : IAsyncLifetime
{
    private const string Policy = """
        profiles: {sniff: {base: restricted, add: [NET_RAW], drop: [MKNOD], may-add: [NET_ADMIN]}, bare: {capabilities: []}}
        rules:
          - {name: vault, effect: deny, subjects: ['*'], labels: app=vault}
          - {name: sre, effect: allow, subjects: ['group:sre']}
          - {name: see the web, effect: allow, subjects: ['group:web'], verbs: [list], nodes: [alpha], labels: app=web}
          - {name: use the web, effect: allow, subjects: ['group:web'], verbs: [exec], nodes: [alpha], labels: app=web, images: [default], profiles: [restricted, debug, sniff], tools: [tool]}
          - {name: recorded, effect: allow, subjects: ['user:ruth'], verbs: [exec], nodes: [alpha], record: input}
          - {name: watched, effect: allow, subjects: ['user:otto'], verbs: [exec], nodes: [alpha], record: output}
          - {name: read beta's, effect: allow, subjects: ['user:otto'], verbs: [recordings], nodes: [beta]}
          - {name: alpha, effect: allow, subjects: ['user:*'], verbs: [nodes], nodes: [alpha]}
        """;

    private readonly List<IDisposable> _open = [];
    private TestAuthority Authority { get; } = new();
    private CoordinatorSettings _settings = null!;

    internal MemberIdentity AlphasIdentity { get; private set; } = null!;

    internal PlayedNode Alpha { get; private set; } = null!;

    internal PlayedNode Beta { get; private set; } = null!;

    internal TestCoordinator Coordinator { get; private set; } = null!;

    internal TestLog Log { get; } = new();

    internal GrpcChannel Alice { get; private set; } = null!;

    internal GrpcChannel Sam { get; private set; } = null!;

    internal GrpcChannel Eve { get; private set; } = null!;

    /// <summary>All that she does is recorded.</summary>
    internal GrpcChannel Ruth { get; private set; } = null!;

    /// <summary>What his tools write is recorded.</summary>
    internal GrpcChannel Otto { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        _settings = TestCoordinator.Settings(Authority, "c1");
        _settings = _settings with
        {
            PolicyPath = Path.Combine(Path.GetDirectoryName(_settings.Socket)!, "policy.yaml"),
            Recordings = new RecordingLimits(64 << 10, 1 << 20),
        };
        await File.WriteAllTextAsync(_settings.PolicyPath, Policy);
        Coordinator = await TestCoordinator.StartAsync(_settings, logs: Log);
        Alpha = new PlayedNode(
            AlphasIdentity = Open("alpha"), "alpha", PlayedNode.Container("web-1", "app=web"), PlayedNode.Container("db-1", "app=db"), PlayedNode.Container("vault-1", "app=vault"));
        Beta = new PlayedNode(Open("beta"), "beta", PlayedNode.Container("web-2", "app=web"), PlayedNode.Container("vault-2", "app=vault"));
        await Task.WhenAll(Alpha.JoinAsync(Coordinator.ClusterAddress), Beta.JoinAsync(Coordinator.ClusterAddress));
        await Coordinator.NodesAsync(nodes => nodes.Count(node => node.State == "up" && node.Problem.Length == 0) == 2);
        (Alice, Sam, Eve) = (Dial("alice", "web"), Dial("sam", "sre"), Dial("eve"));
        (Ruth, Otto) = (Dial("ruth"), Dial("otto"));
    }

    public async Task DisposeAsync()
    {
        await Alpha.DisposeAsync();
        await Beta.DisposeAsync();
        foreach (IDisposable open in _open)
            open.Dispose();
        await Coordinator.DisposeAsync();
        Authority.Dispose();
        Log.Dispose();
    }

    private MemberIdentity Open(string node)
    {
        MemberIdentity identity = Authority.Open(PeerRole.Node, node);
        _open.Add(identity);
        return identity;
    }

    private GrpcChannel Dial(string user, params IReadOnlyList<string> groups)
    {
        IdentityFiles files = IdentityFiles.Read(Authority.Issue(PeerRole.User, user, life: null, groups));
        GrpcChannel channel = TestAuthority.Dial($"https://{_settings.Listen}", files.Certificate, files.Trust);
        _open.Add(channel);
        return channel;
    }
}
