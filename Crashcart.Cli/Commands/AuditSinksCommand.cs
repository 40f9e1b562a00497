using System.CommandLine;
using System.Globalization;
using Crashcart.Audit.Sinks;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart audit sinks</c>: how far the sinks of this host's logs are. It needs no daemon.</summary>
internal static class AuditSinksCommand
{
    public static Command Create()
    {
        var command = new Command("sinks", """
            Show how far syslog, journald and the server are to which this host's daemons send their audit logs.

            Exit status: 0 each takes lines; 1 one does not, and it is told since when and why; 125 a log could not be read.
            """);
        var logs = new Argument<string[]>("DIR")
        {
            Description = $"Logs' directories; by default the logs of this host's daemons, in {HostLogs.Usual}",
            Arity = ArgumentArity.ZeroOrMore,
        };
        command.Add(logs);
        command.SetAction(parsed => (parsed.GetValue(logs) is { Length: > 0 } named ? named : HostLogs.Find()).Max(Tell));
        return command;
    }

    private static int Tell(string log)
    {
        try
        {
            // The end last: a sink is never ahead of it.
            var sinks = SinkStatus.In(log);
            var end = SinkStatus.End(log);
            IEnumerable<string> sentences = sinks.Count == 0 ? [$"{log}: it is sent nowhere."] : sinks.Select(sink => Sentence(log, sink, end));
            StandardText.Output(string.Concat(sentences.Select(sentence => SafeText.Of(sentence) + "\n")));
            return sinks.Any(sink => sink.Since is not null) ? ExitStatus.NotVerified : ExitStatus.Success;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrashcartException(FailureReason.System, $"Could not read the audit log {log}: {e.Message}", e);
        }
    }

    private static string Sentence(string log, SinkStatus sink, long end)
    {
        var behind = end - sink.Sent;
        var state = behind <= 0 ? $"has all lines, to {sink.Sent}" : $"has lines to {sink.Sent}, {behind} wait";
        return sink.Since is { } since
            ? string.Create(CultureInfo.InvariantCulture, $"{log}: {sink.Sink} {state}. It has taken none since {since.UtcDateTime:u}: {sink.Problem}.")
            : $"{log}: {sink.Sink} {state}.";
    }
}
