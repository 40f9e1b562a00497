using Akka.Event;
using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Crashcart.Node;

/// <summary>Passes Akka's log events on to the process's log, under the name of the class that logged.</summary>
public sealed class AkkaLog(ILoggerFactory loggers)
{
    // A lost coordinator makes several of Akka's parts say so every other second, until it is back.
    private readonly RepeatFilter<(Type, LogLevel)> _repeats = new(TimeSpan.FromMinutes(1), TimeProvider.System);

    public void Write(LogEvent entry)
    {
        var isOurs = entry.LogClass.Namespace?.StartsWith("Crashcart.", StringComparison.Ordinal) == true;
        var level = entry switch
        {
            Error => LogLevel.Error,
            Warning => LogLevel.Warning,
            // What Akka itself has to tell is of use to who debugs it.
            Info when isOurs => LogLevel.Information,
            _ => LogLevel.Debug,
        };
        if (isOurs || _repeats.Passes((entry.LogClass, level)))
            Line(loggers.CreateLogger(entry.LogClass), level, entry);
    }

    private static void Line(ILogger log, LogLevel level, LogEvent entry) =>
        log.Log(level, default, entry, entry.Cause, static (entry, _) => entry.Message?.ToString() ?? "");
}
