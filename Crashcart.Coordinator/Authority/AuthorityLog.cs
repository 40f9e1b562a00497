using Crashcart.Audit;
using Crashcart.Native;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Authority;

/// <summary>The audit log of an authority, in its directory. Whoever writes has the authority's turn.</summary>
internal static class AuthorityLog
{
    /// <summary>An authority does little: its log is kept whole.</summary>
    private static readonly AuditLimits Limits = new(FileSize: 16 << 20, Size: long.MaxValue, Age: null);

    /// <summary>Who runs the command; who is root by sudo(8) is named, too.</summary>
    public static AuditCaller Local => new(
        Environment.GetEnvironmentVariable("SUDO_USER") is { Length: > 0 } user ? $"local {Environment.UserName} (sudo {user})" : $"local {Environment.UserName}", [], "");

    public static string In(string authority) => Path.Combine(authority, "audit");

    /// <summary>When this returns, what is about to happen is on disk.</summary>
    /// <exception cref="SettingsException">It is not, and must not happen.</exception>
    public static void Write(string authority, AuditCaller caller, string verb, string target)
    {
        using var log = new AuditLog(In(authority), Limits, TimeProvider.System, _ => { });
        try
        {
            log.WriteAsync(new AuditEvent("request") { Caller = caller, Verb = verb, Target = target }).GetAwaiter().GetResult();
        }
        catch (CrashcartException e)
        {
            throw new SettingsException(e.Message, e);
        }
    }
}
