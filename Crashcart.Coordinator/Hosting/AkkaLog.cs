using Akka.Event;
using AkkaLevel = Akka.Event.LogLevel;
using LogLevel = Microsoft.Extensions.Logging.LogLevel;

namespace Crashcart.Coordinator.Hosting;

/// <summary>Akka's log lines among our own.</summary>
internal static partial class AkkaLog
{
    public static void Write(ILogger log, LogEvent line)
    {
        // What the cluster says at its own Information level about itself is of no use to an operator.
        if (line.LogLevel() < AkkaLevel.WarningLevel)
            return;
        Line(log, line.LogLevel() == AkkaLevel.ErrorLevel ? LogLevel.Error : LogLevel.Warning, line);
    }

    [LoggerMessage(Message = "{Line}")]
    private static partial void Line(ILogger log, LogLevel level, LogEvent line);
}
