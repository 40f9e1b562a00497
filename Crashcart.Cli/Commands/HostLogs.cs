using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>The audit logs of this host's daemons, where they are unless somebody put them elsewhere.</summary>
internal static class HostLogs
{
    public const string Usual = "/var/lib/crashcart/audit";

    /// <summary>Their directories.</summary>
    /// <exception cref="CrashcartException">There is none.</exception>
    public static string[] Find() =>
        Directory.Exists(Usual) && Directory.GetDirectories(Usual).Order(StringComparer.Ordinal).ToArray() is { Length: > 0 } logs
            ? logs
            : throw new CrashcartException(FailureReason.BadRequest, $"There is no audit log in {Usual}; name a log's directory.");
}
