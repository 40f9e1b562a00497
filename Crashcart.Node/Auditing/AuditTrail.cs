using Crashcart.Audit;
using Crashcart.Audit.Sinks;
using Microsoft.Extensions.Logging;

namespace Crashcart.Node.Auditing;

/// <summary>A daemon's audit log, and the sinks to which it is sent.</summary>
public sealed class AuditTrail : IDisposable
{
    private readonly AuditSinks _sinks;

    /// <param name="who">The daemon's kind.</param>
    internal AuditTrail(AuditSettings settings, string who, ILogger log)
    {
        void Complain(string sentence) => AuditTrailLog.Said(log, sentence);
        Log = new AuditLog(Path.Combine(settings.Directory, who), settings.Limits, TimeProvider.System, Complain);
        _sinks = new AuditSinks(settings.Sinks, TimeProvider.System, Complain);
        _sinks.Follow(Log, "crashcart-" + who);
    }

    public AuditLog Log { get; }

    /// <summary>Sends the log of another program, too.</summary>
    /// <param name="directory">The log's.</param>
    public void Follow(string directory, string program) => _sinks.Follow(directory, program, Log);

    /// <summary>The log first: what is written at the end is sent as well.</summary>
    public void Dispose()
    {
        Log.Dispose();
        _sinks.Dispose();
    }
}

internal static partial class AuditTrailLog
{
    [LoggerMessage(1, LogLevel.Error, "{Sentence}")]
    public static partial void Said(ILogger log, string sentence);
}
