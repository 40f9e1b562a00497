using System.Globalization;
using System.Net;
using Crashcart.Coordinator.Authority;
using Crashcart.Coordinator.Limits;
using Crashcart.Coordinator.Recordings;
using Crashcart.Node;
using Crashcart.Node.Auditing;
using Crashcart.Node.Configuration;
using Crashcart.Node.Identity;

namespace Crashcart.Coordinator.Hosting;

/// <summary>What a coordinator is told at its start.</summary>
/// <param name="Socket">Absolute path of the Unix socket for clients.</param>
/// <param name="Listen">A TCP address for clients as well, or null.</param>
/// <param name="TlsDirectory">Of <see cref="IdentityFiles"/>; null: members speak in the clear, on the loopback.</param>
/// <param name="AuthorityDirectory">Where the fleet's authority is, when it is on this host.</param>
/// <param name="StreamListen">Where nodes dial the streams of sessions.</param>
/// <param name="ClusterListen">Where remoting listens; also this coordinator's place among the seeds.</param>
/// <param name="JoinListen">Where hosts with a token become nodes; null: nowhere.</param>
/// <param name="Seeds">HOST:PORT of coordinators, this one among them; empty: this one begins a cluster.</param>
/// <param name="StateDirectory">What outlives the process; the fleet's images are in it.</param>
/// <param name="ImageMax">Bytes that one image may have.</param>
/// <param name="ImageTransfers">Nodes that fetch images from here at one time; the others wait.</param>
/// <param name="Solo">The node in this process, or null.</param>
internal sealed record CoordinatorSettings(
    string Socket,
    IPEndPoint? Listen,
    IPEndPoint StreamListen,
    IPEndPoint ClusterListen,
    IPEndPoint? JoinListen,
    IReadOnlyList<string> Seeds,
    string? TlsDirectory,
    string AuthorityDirectory,
    string StateDirectory,
    long ImageMax,
    int ImageTransfers,
    NodeSettings? Solo,
    AuditSettings Audit,
    LogLevel LogLevel)
{
    private const int MostPerUser = 1_000_000;

    /// <summary>Who may do what; null: everybody may do everything who may use the coordinator.</summary>
    public string? PolicyPath { get; init; }

    /// <summary>Of sessions that the policy has recorded.</summary>
    public RecordingLimits Recordings { get; init; } = new(1L << 30, 10L << 30);

    /// <summary>What one user may have at one time.</summary>
    public UserLimits Limits { get; init; } = UserLimits.Default;

    private static readonly Setting SocketSetting = new("socket", "PATH", "Unix socket for clients.")
    {
        Default = "/run/crashcart/coordinator.sock",
    };

    private static readonly Setting ListenSetting = new("listen", "HOST:PORT", "TCP address for clients as well; by TLS unless on the loopback.");

    private static readonly Setting StreamListenSetting = new("stream-listen", "HOST:PORT", "TCP address for session streams of nodes; by TLS unless on the loopback.")
    {
        Default = "127.0.0.1:0",
    };

    private static readonly Setting ClusterListenSetting = new("cluster-listen", "HOST:PORT", "TCP address for cluster traffic, by which members dial this coordinator; by TLS unless on the loopback.")
    {
        Default = NodeSettings.DefaultSeed,
    };

    private static readonly Setting JoinListenSetting = new(
        "join-listen", "HOST:PORT", "TCP address at which 'crashcart-node join' gets an identity for a token; the fleet's authority must be on this host.");

    private static readonly Setting SeedSetting = new("seed", "HOST:PORT", "Another coordinator to form the cluster with (repeat).")
    {
        Repeats = true,
    };

    private static readonly Setting TlsSetting = IdentitySetting.For(PeerRole.Coordinator);

    private static readonly Setting AuthoritySetting = new("ca-dir", "DIR", "The fleet's certificate authority, when it is on this host.")
    {
        Default = CertificateAuthority.DefaultDirectory,
    };

    private static readonly Setting PolicySetting = new("policy", "FILE", "Who may do what; without it everybody may do everything who may use this coordinator.");

    private static readonly Setting ImageMaxSetting = new("image-max", "SIZE", "The largest image that may be pushed.")
    {
        Default = "4GiB",
    };

    private static readonly Setting ImageTransfersSetting = new("image-transfers", "N", "Nodes that fetch images from here at one time.")
    {
        Default = "4",
    };

    private static readonly Setting RecordingMaxSetting = new("recording-max", "SIZE", "The largest recording of a session; one that would be larger is ended.")
    {
        Default = "1GiB",
    };

    private static readonly Setting RecordingsMaxSetting = new("recordings-max", "SIZE", "All recordings together; the oldest finished ones are deleted first.")
    {
        Default = "10GiB",
    };

    private static readonly Setting ConnectionsSetting = PerUser("connections", "Connections", UserLimits.Default.Connections);

    private static readonly Setting CallsSetting = PerUser("calls", "Calls", UserLimits.Default.Calls);

    private static readonly Setting RunsSetting = PerUser("runs", "Runs", UserLimits.Default.Runs);

    private static readonly Setting SessionsSetting = PerUser("sessions", "Sessions", UserLimits.Default.Sessions);

    private static readonly Setting SoloSetting = new("solo", null, "Be a fleet of one machine: host a node in this process and open no port.");

    public static IReadOnlyList<Setting> Definitions { get; } =
        [SocketSetting, ListenSetting, StreamListenSetting, ClusterListenSetting, JoinListenSetting, SeedSetting, TlsSetting, IdentitySetting.Insecure, AuthoritySetting, PolicySetting, ImageMaxSetting, ImageTransfersSetting, RecordingMaxSetting, RecordingsMaxSetting, ConnectionsSetting, CallsSetting, RunsSetting, SessionsSetting, SoloSetting, .. NodeSettings.SoloDefinitions];

    /// <exception cref="SettingsException">A value makes no sense, or would open the coordinator to a network.</exception>
    public static CoordinatorSettings From(Settings settings)
    {
        string? tls = settings.IsOn(SoloSetting) ? null : IdentitySetting.DirectoryOf(
            settings, TlsSetting, "get one with 'crashcart-coordinator ca issue coordinator', or give --solo for a fleet of this host alone");
        IPEndPoint clusterListen = Address(settings, ClusterListenSetting, tls);
        if (clusterListen.Address.Equals(IPAddress.Any) || clusterListen.Address.Equals(IPAddress.IPv6Any))
            throw settings.Wrong(ClusterListenSetting, "no address by which members can dial this coordinator: give one of this host's");
        return new CoordinatorSettings(
            Path.IsPathRooted(settings.Text(SocketSetting)) ? settings.Text(SocketSetting)! : throw settings.Wrong(SocketSetting, "not an absolute path"),
            settings.Text(ListenSetting) is null ? null : Address(settings, ListenSetting, tls),
            Address(settings, StreamListenSetting, tls),
            clusterListen,
            JoinAddress(settings, tls),
            SeedOrder(settings, clusterListen),
            tls,
            settings.Text(AuthoritySetting)!,
            NodeSettings.StateDirectoryOf(settings),
            settings.Bytes(ImageMaxSetting),
            settings.Number(ImageTransfersSetting, 1, 1000),
            settings.IsOn(SoloSetting) ? NodeSettings.Solo(settings) : null,
            AuditSettings.From(settings, NodeSettings.StateDirectoryOf(settings)),
            NodeSettings.LogLevelOf(settings))
        {
            PolicyPath = settings.Text(PolicySetting),
            Recordings = new RecordingLimits(settings.Bytes(RecordingMaxSetting), settings.Bytes(RecordingsMaxSetting)),
            Limits = new UserLimits(
                settings.Number(ConnectionsSetting, 1, MostPerUser),
                settings.Number(CallsSetting, 1, MostPerUser),
                settings.Number(RunsSetting, 1, MostPerUser),
                settings.Number(SessionsSetting, 1, MostPerUser)),
        };
    }

    private static Setting PerUser(string name, string what, int most) =>
        new($"max-{name}-per-user", "N", $"{what} that one user may have at one time; root by the socket may have any number.")
        {
            Default = most.ToString(CultureInfo.InvariantCulture),
        };

    /// <summary>
    /// The first seed of a list may begin a cluster. Coordinators that name each other must agree on who is first, so each
    /// sorts itself in.
    /// </summary>
    private static IReadOnlyList<string> SeedOrder(Settings settings, IPEndPoint self)
    {
        var seeds = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string seed in settings.All(SeedSetting))
            seeds.Add(Numeric(seed) is { Port: > 0 } address ? address.ToString() : throw settings.Wrong(SeedSetting, $"not of the form ADDRESS:PORT ('{seed}')"));
        if (seeds.Count > 0)
            seeds.Add(self.ToString());
        return [.. seeds];
    }

    /// <summary>Without TLS what other machines can reach is refused.</summary>
    private static IPEndPoint Address(Settings settings, Setting setting, string? tls)
    {
        IPEndPoint address = Numeric(settings.Text(setting)!) ?? throw settings.Wrong(setting, "not of the form ADDRESS:PORT, such as 127.0.0.1:7420");
        return IPAddress.IsLoopback(address.Address) || tls is not null
            ? address
            : throw settings.Wrong(setting, "not on the loopback, and without TLS other machines must not reach it: give --tls-dir, or use 127.0.0.1");
    }

    private static IPEndPoint? JoinAddress(Settings settings, string? tls) => settings.Text(JoinListenSetting) switch
    {
        null => null,
        _ when tls is null => throw settings.Wrong(JoinListenSetting, "of no use to a coordinator without an identity: give --tls-dir"),
        _ when !CertificateAuthority.IsIn(settings.Text(AuthoritySetting)!) => throw settings.Wrong(
            JoinListenSetting, $"of no use where the fleet's authority is not, and {settings.Text(AuthoritySetting)} has none: give --ca-dir, or use the coordinator on the authority's host"),
        _ => Address(settings, JoinListenSetting, tls),
    };

    private static IPEndPoint? Numeric(string text)
    {
        const string Localhost = "localhost:";
        string numeric = text.StartsWith(Localhost, StringComparison.Ordinal) ? "127.0.0.1:" + text[Localhost.Length..] : text;
        return IPEndPoint.TryParse(numeric, out IPEndPoint? address) && numeric.Contains(':', StringComparison.Ordinal) ? address : null;
    }
}
