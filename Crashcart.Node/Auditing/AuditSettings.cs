using Crashcart.Audit;
using Crashcart.Audit.Sinks;
using Crashcart.Node.Configuration;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Auditing;

/// <summary>Where audit logs are, how much of each is kept, and where they are sent.</summary>
/// <param name="Directory">Each daemon's log has a directory of its own in it.</param>
public sealed record AuditSettings(string Directory, AuditLimits Limits)
{
    private const string DatagramScheme = "unixgram://";

    private const int MostDays = 36500;

    private static readonly Setting DirectorySetting = new("audit-dir", "DIR", "Where the audit log is; 'audit' in the state directory by default.");

    private static readonly Setting FileSizeSetting = new("audit-file-size", "SIZE", "A file of the audit log that is so large is followed by a new one.")
    {
        Default = "16MiB",
    };

    private static readonly Setting KeepSetting = new("audit-keep", "SIZE", "Disk space for the audit log; its oldest files go first.")
    {
        Default = "1GiB",
    };

    private static readonly Setting DaysSetting = new("audit-keep-days", "N", "Files of the audit log that are older go when the next one begins; 0 is no limit.")
    {
        Default = "0",
    };

    private static readonly Setting FilesSetting = new("audit-keep-files", "N", "Files of the audit log that are kept; the oldest go first; 0 is no limit.")
    {
        Default = "0",
    };

    private static readonly Setting SyslogSetting = new("audit-syslog", "SOCKET", "Send the audit log to this host's syslog, too: unixgram:///dev/log.");

    private static readonly Setting JournalSetting = new("audit-journald", "SOCKET", "Send the audit log to journald, too: unixgram:///run/systemd/journal/socket.");

    private static readonly Setting HttpSetting = new("audit-http", "URL", "Send the audit log to a server, too, as NDJSON by POST; https, or http on the loopback.");

    private static readonly Setting HttpTokenSetting = new("audit-http-token-file", "FILE", "Holds the bearer token for --audit-http; its owner's alone (0600).");

    private static readonly Setting HttpAuthoritySetting = new("audit-http-ca", "FILE", "Certificates (PEM) that --audit-http trusts instead of the system's.");

    public static IReadOnlyList<Setting> Definitions { get; } =
        [DirectorySetting, FileSizeSetting, KeepSetting, DaysSetting, FilesSetting, SyslogSetting, JournalSetting, HttpSetting, HttpTokenSetting, HttpAuthoritySetting];

    public SinkSettings Sinks { get; init; } = new();

    /// <exception cref="SettingsException">A value is not usable.</exception>
    public static AuditSettings From(Settings settings, string stateDirectory)
    {
        var directory = settings.Text(DirectorySetting) ?? Path.Combine(stateDirectory, "audit");
        if (!Path.IsPathRooted(directory))
            throw settings.Wrong(DirectorySetting, "not an absolute path");
        var days = settings.Number(DaysSetting, 0, MostDays);
        var files = settings.Number(FilesSetting, 0, int.MaxValue);
        return new AuditSettings(
            directory,
            new AuditLimits(settings.Bytes(FileSizeSetting), settings.Bytes(KeepSetting), days > 0 ? TimeSpan.FromDays(days) : null)
            {
                Files = files > 0 ? files : int.MaxValue,
            })
        {
            Sinks = new SinkSettings(Socket(settings, SyslogSetting), Socket(settings, JournalSetting), Http(settings)),
        };
    }

    /// <param name="who">The daemon's kind.</param>
    public AuditTrail Open(string who, ILogger log) => new(this, who, log);

    private static string? Socket(Settings settings, Setting setting)
    {
        if (settings.Text(setting) is not { } text)
            return null;
        var path = text.StartsWith(DatagramScheme, StringComparison.Ordinal) ? text[DatagramScheme.Length..] : text;
        return Path.IsPathRooted(path) ? path : throw settings.Wrong(setting, $"no socket of this host: give its absolute path, as {DatagramScheme}/dev/log");
    }

    private static HttpSinkSettings? Http(Settings settings)
    {
        if (settings.Text(HttpSetting) is not { } text)
        {
            foreach (var setting in new[] { HttpTokenSetting, HttpAuthoritySetting }.Where(setting => settings.Text(setting) is not null))
                throw settings.Wrong(setting, "of no use without --audit-http");
            return null;
        }
        if (!Uri.TryCreate(text, UriKind.Absolute, out var address) || address.Scheme is not ("https" or "http"))
            throw settings.Wrong(HttpSetting, "no address of a server: give https://HOST/PATH");
        if (address.UserInfo.Length > 0)
            throw new SettingsException($"The setting {HttpSetting.Name} ({settings.Origin(HttpSetting)}) holds a password, which others can see: give a token by {HttpTokenSetting.Flag}.");
        if (address.Scheme == "http" && !address.IsLoopback)
            throw settings.Wrong(HttpSetting, "in the clear, which is for this host's loopback alone: use https");
        var http = new HttpSinkSettings(address, settings.Text(HttpTokenSetting), settings.Text(HttpAuthoritySetting));
        if (http.TokenProblem is { Length: > 0 } token)
            throw settings.Wrong(HttpTokenSetting, "not usable: " + token);
        if (http.AuthorityProblem is { Length: > 0 } authority)
            throw settings.Wrong(HttpAuthoritySetting, "not usable: " + authority);
        return http;
    }
}
