using System.CommandLine;
using Crashcart.Audit;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart audit verify</c>: whether logs are as they were written. It needs no daemon.</summary>
internal static class AuditVerifyCommand
{
    public static Command Create()
    {
        var command = new Command("verify", """
            Check that audit logs are as they were written: no line was removed, added, altered or moved.

            Each line holds the hash of the line before, and a file beside the lines says how far they go. Whoever is root
            on the host can write all of that anew: --head compares with what another copy of the log, or an earlier
            'audit verify', says of one line.

            Exit status: 0 all are whole; 1 one is not, and the first fault of each is told by file and line; 125 a log could
            not be read.
            """);
        var logs = new Argument<string[]>("DIR|FILE")
        {
            Description = $"Logs' directories, or files of lines; by default the logs of this host's daemons, in {HostLogs.Usual}",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var head = new Option<string>("--head")
        {
            HelpName = "NUMBER:HASH",
            Description = "A line's number and its SHA-256, known from elsewhere; of one log only",
        };
        command.Add(logs);
        command.Add(head);
        command.SetAction(parsed =>
        {
            var paths = parsed.GetValue(logs) is { Length: > 0 } named ? named : HostLogs.Find();
            if (parsed.GetValue(head) is not null && paths.Length > 1)
                throw new CrashcartException(FailureReason.BadRequest, "Option --head is about one log; name that one.");
            var status = ExitStatus.Success;
            foreach (var path in paths)
                status = Math.Max(status, Tell(path, AuditVerifier.Verify(path, parsed.GetValue(head))));
            return status;
        });
        return command;
    }

    private static int Tell(string path, AuditVerdict verdict)
    {
        if (!verdict.IsWhole)
        {
            StandardText.Complain(SafeText.Of(verdict.Problem));
            return ExitStatus.NotVerified;
        }

        var torn = verdict.Torn > 0 ? $", {verdict.Torn} of them about lines that a crash has torn" : "";
        var dropped = verdict.First > 1 && Directory.Exists(path) ? $" Lines 1 to {verdict.First - 1} were dropped for their age or size, as the log says." : "";
        StandardText.Output(SafeText.Of(verdict.Lines == 0
            ? $"{path}: whole, and empty."
            : $"{path}: whole, lines {verdict.First} to {verdict.Last}{torn}.{dropped} Head {verdict.Last}:{verdict.Hash}") + "\n");
        return ExitStatus.Success;
    }
}
