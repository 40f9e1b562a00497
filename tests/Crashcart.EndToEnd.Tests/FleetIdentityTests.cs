using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>People who come over the network, with a certificate.</summary>
public sealed class FleetIdentityTests(SecuredFleet fleet) : HostTest, IClassFixture<SecuredFleet>
{
    /// <summary>A revocation is in force within that time.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task A_users_certificate_opens_the_fleet_until_it_is_revoked()
    {
        await using var box = await fleet.Nodes[0].Docker.RunScratch("--label", "app=tls");
        await fleet.Authority.Issue("user", "alice");
        await As("alice", "context", "add", "prod", "--coordinator", fleet.Url, "--tls-dir", fleet.Authority["alice"], "--use").Output();
        Assert.Contains("user alice", await As("alice", "context", "ls").Output(), StringComparison.Ordinal);
        Assert.Equal("hello", await As("alice", "exec", $"alpha/{box.Name}", "echo", "hello").Output());
        await using var tool = As("alice", "exec", $"alpha/{box.Name}", "sh", "-c", "echo ready; sleep 1000").Start();
        await tool.Says("ready");

        await fleet.Authority.Revoke("alice");

        (await tool.Result().WaitAsync(Soon)).Exited(125);
        var refused = await As("alice", "nodes").Run();
        refused.Exited(125);
        Assert.Contains("it may not take your certificate (user alice,", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_host_with_a_token_becomes_a_node()
    {
        await using var directory = TemporaryDirectory.Create();
        var token = await fleet.Authority.Token();
        var join = new Command(Artifacts.Node, ["join", fleet.JoinAddress, .. token, "--name", "gamma", "--tls-dir", directory["tls"]]);
        var joined = await join.Run();
        joined.Succeeded();
        Assert.StartsWith("node gamma of CN=crashcart, serial ", joined.Lines[0], StringComparison.Ordinal);
        Assert.StartsWith("Start it: crashcart-node --listen 127.0.0.1:7421 --seed ", joined.Lines[1], StringComparison.Ordinal);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(directory["tls/tls.key"]));

        var gamma = new Daemon(new Command(
            Artifacts.Node,
            [
                "--name", "gamma", "--tls-dir", directory["tls"], "--state-dir", directory["state"], "--image", fleet.Image,
                "--listen", Daemon.FreeAddress(), .. joined.Lines[1].Split(' ').SkipWhile(word => word != "--seed"),
            ])
        {
            Environment = new Dictionary<string, string?> { ["DOCKER_HOST"] = "unix:///nowhere/docker.sock", ["CRASHCART_IMAGE"] = null },
        });
        gamma.Start();
        try
        {
            await fleet.ListsNodes(0, "alpha=up gamma=up");
        }
        finally
        {
            await gamma.Stop();
        }
        await fleet.ListsNodes(0, "alpha=up");

        var again = await join.Run();
        again.Exited(1);
        Assert.Contains($"There is an identity in {directory["tls"]} already", again.Error, StringComparison.Ordinal);
        var other = await new Command(Artifacts.Node, ["join", fleet.JoinAddress, .. token, "--name", "delta", "--tls-dir", directory["other"]]).Run();
        other.Exited(1);
        Assert.Contains("was used by gamma already", other.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(directory["other"]));
    }

    [Theory]
    [InlineData("node", "it may not take your certificate (node ")]
    [InlineData("coordinator", "it may not take your certificate (coordinator ")]
    public async Task A_members_certificate_is_no_users(string role, string reason)
    {
        await fleet.Authority.Issue(role, $"a-{role}");

        var refused = await Dial($"a-{role}", "nodes").Run();

        refused.Exited(125);
        Assert.Contains(reason, refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_others_can_read_is_refused()
    {
        await fleet.Authority.Issue("user", "careless");
        File.SetUnixFileMode(Path.Combine(fleet.Authority["careless"], "tls.key"), (UnixFileMode)0b110_100_100);

        var refused = await Dial("careless", "nodes").Run();

        refused.Exited(125);
        Assert.Contains("chmod 600", refused.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_certificate_the_client_says_how_to_get_one()
    {
        var refused = await As("nobody", "nodes", "--coordinator", fleet.Url).Run();

        refused.Exited(125);
        Assert.Contains("crashcart context add", refused.Error, StringComparison.Ordinal);
    }

    /// <summary>A command of a user with a home of his own.</summary>
    private Command As(string user, params string[] words) => new(Artifacts.Cli, words)
    {
        Environment = new Dictionary<string, string?> { ["HOME"] = Path.Combine(fleet.Authority[user], "home"), ["CRASHCART_COORDINATOR"] = null },
    };

    /// <summary>The same, over the network with an identity and without a context.</summary>
    private Command Dial(string identity, params string[] words) => As(identity, words) with
    {
        Environment = new Dictionary<string, string?> { ["CRASHCART_COORDINATOR"] = fleet.Url, ["CRASHCART_TLS_DIR"] = fleet.Authority[identity] },
    };
}

/// <summary>A fleet whose members speak TLS.</summary>
public sealed class SecuredFleet : FleetHost
{
    public SecuredFleet()
        : this(Daemon.FreeAddress())
    {
    }

    private SecuredFleet(string joinAddress)
        : base(["alpha"], coordinators: 1, isSecured: true, coordinatorOptions: ["--join-listen", joinAddress]) => JoinAddress = joinAddress;

    /// <summary>Where hosts with a token become nodes.</summary>
    internal string JoinAddress { get; }
}
