using Akka.Event;
using Microsoft.Extensions.Logging;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Crashcart.Node;

/// <summary>Passes Akka's log events on to the process's log, under the name of the actor's path or class.</summary>
public sealed class AkkaLog(ILoggerFactory loggers)
{
    private readonly ILogger _actors = loggers.CreateLogger("Crashcart.Actors");
    private readonly ILogger _akka = loggers.CreateLogger("Akka");

    public void Write(LogEvent entry)
    {
        var level = entry switch
        {
            Error => LogLevel.Error,
            Warning => LogLevel.Warning,
            // Akka's own news are about its workings.
            Info when IsOurs(entry) => LogLevel.Information,
            _ => LogLevel.Debug,
        };
        var log = IsOurs(entry) ? _actors : _akka;
        if (log.IsEnabled(level))
            AkkaEvent(log, level, entry.LogSource, entry.Message?.ToString() ?? "", entry.Cause);
    }

    private static bool IsOurs(LogEvent entry) => entry.LogClass?.Namespace?.StartsWith("Crashcart", StringComparison.Ordinal) == true;

    private static void AkkaEvent(ILogger log, LogLevel level, string source, string text, Exception? cause) =>
        log.Log(level, new EventId(100), (Source: source, Text: text), cause, static (state, _) => $"{state.Source}: {state.Text}");
}
