using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart kill</c>: the end of a session or a run, from elsewhere than where it was started.</summary>
internal static class KillCommand
{
    public static Command Create()
    {
        var command = new Command("kill", """
            End a session, or all sessions of a run.

            ID is one of 'crashcart sessions' or 'crashcart runs'; for a run its beginning is enough. The tools are
            asked to end (SIGHUP, SIGTERM) and killed two seconds later, and everything that they started with
            them. A run starts no more.

            Exit status: 0 they end; 3 there is no such session or run; 125 some host did not answer.
            """);
        var id = new Argument<string>("ID") { HelpName = "SESSION|RUN" };
        var reason = CommonOptions.Reason();
        var coordinator = CommonOptions.Coordinator();
        command.Add(id);
        command.Add(reason);
        command.Add(coordinator);
        command.SetAction(async (parsed, _) =>
        {
            var name = parsed.GetValue(id)!;
            if (name.Length == 0)
                throw new CrashcartException(FailureReason.BadRequest, "Which session? Give an id that 'crashcart sessions' lists.");
            var answer = await Listing.AskAsync(parsed.GetValue(coordinator), client => client.Leases.KillAsync(new KillRequest { Id = name, Reason = parsed.GetValue(reason) ?? "" }));
            foreach (var session in answer.Sessions)
            {
                var container = HeldListing.NameOf(session.Container, session.ContainerId, 0);
                StandardText.Output(SafeText.Of($"{session.SessionId}: {session.Tool} in {session.Node}/{container} ends") + "\n");
            }

            foreach (var silent in answer.Unanswered)
                StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
            if (answer.Unanswered.Count > 0)
                return ExitStatus.Failed;
            if (answer.Sessions.Count > 0)
                return ExitStatus.Success;
            if (answer.RunId.Length > 0)
            {
                StandardText.Output($"{SafeText.Of(answer.RunId)} ends\n");
                return ExitStatus.Success;
            }

            StandardText.Complain($"There is no session or run '{SafeText.Of(name)}'; 'crashcart sessions' and 'crashcart runs' list them.");
            return ExitStatus.NothingMatched;
        });
        return command;
    }
}
