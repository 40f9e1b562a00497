using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Output;
using Crashcart.Cli.Output.Runs;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart runs logs</c> and <c>wait</c>: what came of a run that was left alone.</summary>
internal static class RunsLogsCommand
{
    public static Command Create()
    {
        var command = new Command("logs", """
            Show what the tools of a detached run wrote, in the forms of 'crashcart fleet exec'.

            What standard output and standard error wrote comes in the order in which it was written. Ctrl-C
            leaves, and the run goes on.

            Exit status: as of 'crashcart fleet exec', as far as the tools have ended; 3 there is no such run.

            Example: crashcart runs logs -f 3fa9
            """);
        var run = Run();
        var follow = new Option<bool>("--follow", "-f") { Description = "Go on until the run ends" };
        var form = new RunOutputOptions();
        var coordinator = CommonOptions.Coordinator();
        command.Add(run);
        command.Add(follow);
        form.AddTo(command);
        command.Add(coordinator);
        command.SetAction((parsed, _) => ReadAsync(
            new Replay { Run = parsed.GetValue(run)!, Follow = parsed.GetValue(follow) }, form.Read(parsed)(), parsed.GetValue(coordinator)));
        return command;
    }

    public static Command CreateWait()
    {
        var command = new Command("wait", """
            Wait until a detached run has ended.

            Who failed and why is told on standard error. Ctrl-C leaves, and the run goes on.

            Exit status: as of 'crashcart fleet exec': 0 every tool ended with 0; 1 some tool did not; 124 some
            tool ran out of time; 125 some target was not reached, or not everything is known; 3 there is no such run.
            """);
        var run = Run();
        var coordinator = CommonOptions.Coordinator();
        command.Add(run);
        command.Add(coordinator);
        command.SetAction((parsed, _) => ReadAsync(
            new Replay { Run = parsed.GetValue(run)!, Follow = true, EndsOnly = true },
            new RawOutput(Stream.Null, Stream.Null),
            parsed.GetValue(coordinator)));
        return command;
    }

    private static Argument<string> Run() => new("RUN");

    private static async Task<int> ReadAsync(Replay replay, IRunOutput output, string? coordinator)
    {
        using var owned = output as IDisposable;
        using var client = new CoordinatorClient(Settings.Coordinator(coordinator));
        using var call = new RunCall(client, passesSignals: false);
        var reading = new FleetRun(output, StandardText.Error);
        try
        {
            return await call.RunAsync(new RunRequest { Replay = replay }, reading.Wait, reading.FollowAsync);
        }
        catch (CrashcartException e)
        {
            return RunsCommand.Report(e);
        }
    }
}
