using System.Net;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Hosting;

/// <summary>What a coordinator is told by flags, environment and <c>/etc/crashcart/coordinator.yaml</c>.</summary>
internal sealed record CoordinatorSettings
{
    public const string DefaultFile = "/etc/crashcart/coordinator.yaml";

    private static readonly Setting SocketSetting = new("socket", "PATH", "Unix socket for clients.")
    {
        Default = "/run/crashcart/coordinator.sock",
    };

    private static readonly Setting ListenSetting = new("listen", "HOST:PORT", "TCP address for clients as well; loopback only.");

    private static readonly Setting StreamListenSetting = new("stream-listen", "HOST:PORT", "TCP address for the nodes' session streams; loopback only.")
    {
        Default = "127.0.0.1:0",
    };

    private static readonly Setting ClusterListenSetting = new("cluster-listen", "HOST:PORT", "TCP address for cluster traffic; loopback only.")
    {
        Default = "127.0.0.1:7420",
    };

    private static readonly Setting SeedSetting = new("seed", "HOST:PORT", "Cluster address of a coordinator to join by; may be repeated.")
    {
        Repeats = true,
    };

    public static readonly Setting SoloSetting = new("solo", null, "Be a fleet of one machine: host a node in this process, and open no port.");

    public static readonly IReadOnlyList<Setting> Known =
        [SocketSetting, ListenSetting, StreamListenSetting, ClusterListenSetting, SeedSetting, SoloSetting];

    public required string Socket { get; init; }

    public required IPEndPoint? Listen { get; init; }

    public required IPEndPoint StreamListen { get; init; }

    public required IPEndPoint ClusterListen { get; init; }

    public required IReadOnlyList<string> Seeds { get; init; }

    public required bool Solo { get; init; }

    /// <exception cref="SettingsException">A value makes no sense, or would open the coordinator to a network.</exception>
    public static CoordinatorSettings From(Settings settings)
    {
        IPEndPoint clusterListen = LoopbackEndPoint.Parse(settings, ClusterListenSetting);
        return new CoordinatorSettings
        {
            Socket = Path.IsPathRooted(settings.Text(SocketSetting))
                ? settings.Text(SocketSetting)!
                : throw settings.Wrong(SocketSetting, "not an absolute path"),
            Listen = settings.Text(ListenSetting) is null ? null : LoopbackEndPoint.Parse(settings, ListenSetting),
            StreamListen = LoopbackEndPoint.Parse(settings, StreamListenSetting),
            ClusterListen = clusterListen,
            Seeds = SeedOrder(settings, clusterListen),
            Solo = settings.IsOn(SoloSetting),
        };
    }

    /// <summary>
    /// The first seed of a list may begin a cluster. Coordinators that name each other must agree on who is first, so each
    /// sorts itself in.
    /// </summary>
    private static IReadOnlyList<string> SeedOrder(Settings settings, IPEndPoint self)
    {
        var seeds = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string seed in settings.All(SeedSetting))
            seeds.Add(IPEndPoint.TryParse(seed, out IPEndPoint? address) && address.Port != 0
                ? address.ToString()
                : throw settings.Wrong(SeedSetting, "not ADDRESS:PORT with a numeric address"));
        if (seeds.Count > 0)
            seeds.Add(self.ToString());
        return [.. seeds];
    }
}
