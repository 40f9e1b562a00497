using Crashcart.Coordinator.Hosting;
using Crashcart.Node.Identity;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>A coordinator and a node with the container web-1, which speak TLS, and their authority.</summary>
public sealed class TlsFleet : IAsyncLifetime
{
    private MemberIdentity _identity = null!;

    internal TestAuthority Authority { get; } = new();

    /// <summary>Identities that were revoked before the coordinator was started.</summary>
    internal Dictionary<PeerRole, string> Revoked { get; } = [];

    internal TestLog Log { get; } = new();

    internal CoordinatorSettings Settings { get; private set; } = null!;

    internal TestCoordinator Coordinator { get; private set; } = null!;

    internal PlayedNode Node { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        foreach (PeerRole role in Enum.GetValues<PeerRole>())
            Authority.Revoke(Revoked[role] = Authority.Issue(role, "mallory"));
        Settings = TestCoordinator.Settings(Authority, "c1");
        Coordinator = await TestCoordinator.StartAsync(Settings, logs: Log);
        _identity = Authority.Open(PeerRole.Node, "alpha");
        Node = new PlayedNode(_identity, "alpha", PlayedNode.Container("web-1"));
        await Node.JoinAsync(Coordinator.ClusterAddress);
    }

    public async Task DisposeAsync()
    {
        await Node.DisposeAsync();
        _identity.Dispose();
        await Coordinator.DisposeAsync();
        Authority.Dispose();
        Log.Dispose();
    }
}
