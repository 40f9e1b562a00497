using Crashcart.Audit;
using Crashcart.Node.Configuration;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Auditing;

/// <summary>Where audit logs are, and how much of each is kept.</summary>
/// <param name="Directory">Each daemon's log has a directory of its own in it.</param>
public sealed record AuditSettings(string Directory, AuditLimits Limits)
{
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

    public static IReadOnlyList<Setting> Definitions { get; } = [DirectorySetting, FileSizeSetting, KeepSetting, DaysSetting];

    /// <exception cref="SettingsException">A value is not usable.</exception>
    public static AuditSettings From(Settings settings, string stateDirectory)
    {
        var directory = settings.Text(DirectorySetting) ?? Path.Combine(stateDirectory, "audit");
        if (!Path.IsPathRooted(directory))
            throw settings.Wrong(DirectorySetting, "not an absolute path");
        var days = settings.Number(DaysSetting, 0, MostDays);
        return new AuditSettings(
            directory,
            new AuditLimits(settings.Bytes(FileSizeSetting), settings.Bytes(KeepSetting), days > 0 ? TimeSpan.FromDays(days) : null));
    }

    /// <param name="who">The daemon's kind.</param>
    public AuditLog Open(string who, ILogger log) =>
        new(Path.Combine(Directory, who), Limits, TimeProvider.System, sentence => AuditTrailLog.Said(log, sentence));
}

internal static partial class AuditTrailLog
{
    [LoggerMessage(1, LogLevel.Error, "{Sentence}")]
    public static partial void Said(ILogger log, string sentence);
}
