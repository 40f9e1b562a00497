using Crashcart.Node.Auditing;
using Crashcart.Node.Configuration;
using Crashcart.Node.Docker;
using Crashcart.Node.Identity;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node;

/// <summary>What a node is told at its start.</summary>
/// <param name="Name">Unique in the fleet, and the first part of the names of its cgroups.</param>
/// <param name="Image">Path of the toolbox image; it may come later.</param>
/// <param name="Listen">Where remoting listens; port 0 takes any free one.</param>
/// <param name="Seeds">HOST:PORT of coordinators to join by.</param>
/// <param name="TlsDirectory">Of <see cref="IdentityFiles"/>; null: members speak in the clear, on the loopback.</param>
/// <param name="ImageCache">Bytes that images of the fleet's may take on this host together.</param>
/// <param name="SessionMemory">Bytes that one session may use unless its request says otherwise; null is no limit.</param>
/// <param name="SessionProcesses">Processes and threads that one session may have; null is no limit.</param>
/// <param name="RunOutputBudget">Bytes of output that the node keeps of runs that nobody waits for.</param>
/// <param name="RunOutputAge">How long it keeps it.</param>
/// <param name="GracePeriod">How long tools may take to end when the node stops.</param>
/// <param name="Linger">How long an image stays attached after its last session, for the next one.</param>
public sealed record NodeSettings(
    string Name,
    string Image,
    string StateDirectory,
    long ImageCache,
    HostPort Listen,
    IReadOnlyList<HostPort> Seeds,
    string? TlsDirectory,
    DockerSocket Docker,
    long? SessionMemory,
    int? SessionProcesses,
    long RunOutputBudget,
    TimeSpan RunOutputAge,
    TimeSpan GracePeriod,
    TimeSpan Linger,
    AuditSettings Audit,
    LogLevel LogLevel)
{
    /// <summary>At one time.</summary>
    public int MaxSessions { get; init; } = int.MaxValue;

    /// <summary>Where coordinators take members, when nobody says otherwise.</summary>
    public const string DefaultSeed = "127.0.0.1:7420";

    /// <summary>Of <see cref="IsName"/>, for people.</summary>
    public const string NameRule = "use up to 63 letters, digits and -_., beginning with a letter or digit";

    /// <summary>Where a node listens for other members, when nobody says otherwise.</summary>
    public const int DefaultPort = 7421;

    private static readonly string[] DefaultImages =
        ["/var/lib/crashcart/crashcart.img", Path.Combine(AppContext.BaseDirectory, "crashcart.img")];

    private static readonly Setting NameSetting = new("name", "NODE", "This node's name, unique in the fleet.")
    {
        Default = Environment.MachineName,
    };

    private static readonly Setting ImageSetting = new("image", "FILE", "The toolbox image.")
    {
        Default = DefaultImages.FirstOrDefault(File.Exists) ?? DefaultImages[0],
    };

    private static readonly Setting StateSetting = new("state-dir", "DIR", "What outlives the process is kept here.")
    {
        Default = "/var/lib/crashcart",
    };

    private static readonly Setting CacheSetting = new("image-cache", "SIZE", "Disk space for images that the node fetches; the least used go first.")
    {
        Default = "4GiB",
    };

    private static readonly Setting ListenSetting = new("listen", "HOST:PORT", "Address for the other members of the fleet.")
    {
        Default = $"127.0.0.1:{DefaultPort}",
    };

    private static readonly Setting SeedSetting = new("seed", "HOST:PORT", "A coordinator to join by (repeat).")
    {
        Default = DefaultSeed,
        Repeats = true,
    };

    private static readonly Setting TlsSetting = IdentitySetting.For(PeerRole.Node);

    private static readonly Setting DockerSetting = new("docker-host", "URI", "Docker's socket on this host.")
    {
        Default = "unix:///var/run/docker.sock",
        ForeignVariable = "DOCKER_HOST",
    };

    private static readonly Setting MemorySetting = new("session-memory", "SIZE", "Memory that one session may use; 0 is no limit.")
    {
        Default = "1GiB",
    };

    private static readonly Setting ProcessesSetting = new("session-processes", "N", "Processes that one session may have; 0 is no limit.")
    {
        Default = "1024",
    };

    private static readonly Setting SessionsSetting = new("max-sessions", "N", "Sessions that this node has at one time.")
    {
        Default = "1000",
    };

    private static readonly Setting BudgetSetting = new(
        "run-output-budget", "SIZE", "Disk space for what tools of detached runs write; the oldest runs that are over go first.")
    {
        Default = "1GiB",
    };

    private static readonly Setting AgeSetting = new("run-output-age", "DAYS", "How long a detached run is kept after its end.")
    {
        Default = "7",
    };

    private static readonly Setting GraceSetting = new("grace-period", "SECONDS", "How long tools may take to end when the node stops.")
    {
        Default = "10",
    };

    private static readonly Setting LingerSetting = new(
        "linger", "SECONDS", "How long an image stays attached for the next session after the last one; 0 is not at all.")
    {
        Default = "30",
    };

    private static readonly Setting LogSetting = new("log-level", "LEVEL", "trace, debug, information, warning, error.")
    {
        Default = "information",
    };

    /// <summary>Those of a node that lives in a coordinator's process, too.</summary>
    public static IReadOnlyList<Setting> SoloDefinitions { get; } =
        [NameSetting, ImageSetting, StateSetting, CacheSetting, DockerSetting, SessionsSetting, MemorySetting, ProcessesSetting, BudgetSetting, AgeSetting, GraceSetting, LingerSetting, .. AuditSettings.Definitions, LogSetting];

    public static IReadOnlyList<Setting> Definitions { get; } = [.. SoloDefinitions, ListenSetting, SeedSetting, TlsSetting, IdentitySetting.Insecure];

    /// <exception cref="SettingsException">A value is not usable.</exception>
    public static NodeSettings From(Settings settings) =>
        From(settings, IdentitySetting.DirectoryOf(settings, TlsSetting, "get one with 'crashcart-node join' or 'crashcart-coordinator ca issue node'"));

    /// <summary>Of a node in a coordinator's process, which nobody dials.</summary>
    /// <exception cref="SettingsException">A value is not usable.</exception>
    public static NodeSettings Solo(Settings settings) => From(settings, tlsDirectory: null);

    private static NodeSettings From(Settings settings, string? tlsDirectory) => new(
        Checked(settings, NameSetting, IsName, $"not a name: {NameRule}"),
        settings.Text(ImageSetting)!,
        StateDirectoryOf(settings),
        settings.Bytes(CacheSetting),
        ListenAddress(settings, tlsDirectory),
        [.. settings.All(SeedSetting).Select(seed => Address(settings, SeedSetting, seed))],
        tlsDirectory,
        DockerAddress(settings),
        settings.Bytes(MemorySetting) is > 0 and var bytes ? bytes : null,
        settings.Number(ProcessesSetting, 0, int.MaxValue) is > 0 and var processes ? processes : null,
        settings.Bytes(BudgetSetting),
        TimeSpan.FromDays(settings.Number(AgeSetting, 1, 3650)),
        TimeSpan.FromSeconds(settings.Number(GraceSetting, 0, 3600)),
        TimeSpan.FromSeconds(settings.Number(LingerSetting, 0, 3600)),
        AuditSettings.From(settings, StateDirectoryOf(settings)),
        LogLevelOf(settings))
    {
        MaxSessions = settings.Number(SessionsSetting, 1, 1_000_000),
    };

    /// <summary>Whether a node may be called so.</summary>
    public static bool IsName(string name) =>
        name.Length is > 0 and <= 63 && char.IsAsciiLetterOrDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || "-_.".Contains(c));

    /// <exception cref="SettingsException">Not a level.</exception>
    public static LogLevel LogLevelOf(Settings settings) =>
        Enum.TryParse<LogLevel>(settings.Text(LogSetting), ignoreCase: true, out var level)
            ? level
            : throw settings.Wrong(LogSetting, "not a level: trace, debug, information, warning, error");

    /// <exception cref="SettingsException">Not an absolute path.</exception>
    public static string StateDirectoryOf(Settings settings) =>
        Path.IsPathRooted(settings.Text(StateSetting)) ? settings.Text(StateSetting)! : throw settings.Wrong(StateSetting, "not an absolute path");

    private static string Checked(Settings settings, Setting setting, Func<string, bool> isRight, string otherwise) =>
        settings.Text(setting) is { } text && isRight(text) ? text : throw settings.Wrong(setting, otherwise);

    private static HostPort Address(Settings settings, Setting setting, string text) =>
        HostPort.TryParse(text, out var address) ? address : throw settings.Wrong(setting, $"not of the form HOST:PORT ('{text}')");

    private static HostPort ListenAddress(Settings settings, string? tlsDirectory)
    {
        var address = Address(settings, ListenSetting, settings.Text(ListenSetting)!);
        if (address.Host is "0.0.0.0" or "::")
            throw settings.Wrong(ListenSetting, "no address by which other members can dial this node: give one of this host's");
        // Whoever reaches the port can start tools in every container as root, and nothing is encrypted.
        return address.IsLoopback || tlsDirectory is not null
            ? address
            : throw settings.Wrong(ListenSetting, "not on the loopback, and without TLS other machines must not reach it: give --tls-dir, or use 127.0.0.1");
    }

    private static DockerSocket DockerAddress(Settings settings)
    {
        try
        {
            return DockerSocket.Parse(settings.Text(DockerSetting)!);
        }
        catch (FormatException e)
        {
            throw settings.Wrong(DockerSetting, e.Message);
        }
    }
}
