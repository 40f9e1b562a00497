using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
using Crashcart.Cli.Output.Runs;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart fleet exec</c>: one tool in every container that a selection matches.</summary>
internal static class FleetExecCommand
{
    public static Command Create()
    {
        var command = new Command("exec", """
            Run a tool in every container of the fleet that a selection matches.

            Each line of output stands behind its NODE/CONTAINER; --group, --diff, --output-dir, --json and --raw
            are other forms. The tools' standard input is empty without --stdin. The first Ctrl-C interrupts every
            tool and starts no more, the second kills them, the third leaves without waiting for their end. From
            TOOL on every word is the tool's, with or without --.

            Exit status: 0 every tool ended with 0; 1 some tool did not; 3 nothing matched; 124 some tool ran out
            of time; 125 some target was not reached, or crashcart failed.

            Example: crashcart fleet exec --label app=web tcpdump -c 3 -ni any
            """);
        var tool = new ToolArgument("TOOL ARGS…", required: true);
        var selection = new SelectionOptions();
        var fanOut = new FanOutOptions();
        var form = new RunOutputOptions();
        var stdin = new Option<bool>("--stdin") { Description = "Give every tool crashcart's standard input, at the pace of the slowest" };
        var yes = new Option<bool>("--yes", "-y")
        {
            Description = "Do not ask before running in more containers than 20 (CRASHCART_CONFIRM_ABOVE, confirm-above)",
        };
        var image = CommonOptions.FleetImage();
        var session = new SessionOptions();
        var coordinator = CommonOptions.Coordinator();
        command.Add(tool);
        selection.AddTo(command);
        fanOut.AddTo(command);
        form.AddTo(command);
        command.Add(stdin);
        command.Add(yes);
        command.Add(image);
        session.AddTo(command);
        command.Add(coordinator);

        command.SetAction((parsed, _) =>
        {
            var request = session.Read(parsed, parsed.GetValue(tool)!, terminal: false);
            var run = new RunRequest
            {
                Selection = selection.Read(parsed),
                Tool = request.ToTool(default, parsed.GetValue(stdin)),
                Image = ImageNames.InFleet(parsed.GetValue(image)),
                TimeoutMs = (ulong)(request.Timeout?.TotalMilliseconds ?? 0),
                Ask = !parsed.GetValue(yes) && Confirmation.IsPossible,
            };
            fanOut.Read(parsed, run);
            var output = form.Read(parsed);
            var address = Settings.Coordinator(parsed.GetValue(coordinator));
            return run.Mode == RunMode.DryRun ? DryRunAsync(run, address) : RunAsync(run, output(), address);
        });
        return command;
    }

    private static async Task<int> RunAsync(RunRequest request, IRunOutput output, CoordinatorAddress address)
    {
        using var owned = output as IDisposable;
        using var client = new CoordinatorClient(address);
        using var call = new RunCall(client);
        var threshold = request.Ask ? Confirmation.Threshold() : 0;
        var run = new FleetRun(output, StandardText.Error)
        {
            Wait = ImageWait.OnStandardError(),
            Waiting = call.IsWaiting,
            Status = new RunStatus(StatusLine.OnStandardError),
            IsFollowing = request.Mode == RunMode.Follow,
            IsSummarized = UserTerminal.IsTerminal(2),
            OnTargets = OnTargetsAsync,
        };
        return await call.RunAsync(request, run.Wait, run.FollowAsync);

        async Task OnTargetsAsync(RunStarted started)
        {
            Tell(request.Selection, started);
            if (request.Ask && started.Targets.Count > threshold)
            {
                call.IsWaiting(true);
                if (!Confirmation.Ask(request.Tool.Argv[0], started.Targets))
                    throw new CrashcartException(FailureReason.BadRequest, "Nothing was run; --yes runs it without a question.");
                call.IsWaiting(false);
            }

            if (request.Ask)
                await call.SendAsync(new RunInput { Begin = new RunBegin() });
            if (request.Tool.Stdin)
                ClientInput.Start(call, _ => { });
        }
    }

    /// <summary>The containers in which a run would have run its tool.</summary>
    private static async Task<int> DryRunAsync(RunRequest request, CoordinatorAddress address)
    {
        request.Ask = false;
        using var client = new CoordinatorClient(address);
        using var call = new RunCall(client);
        return await call.RunAsync(request, ImageWait.OnStandardError(), async events =>
        {
            RunStarted? started = null;
            await foreach (var step in events)
                started ??= step.Started;
            if (started is null)
                throw new CrashcartException(FailureReason.Unavailable, "The coordinator ended the run before it began; look at its log.");
            Tell(request.Selection, started);
            StandardText.Output(TextTable.Of(PsCommand.Headings, started.Targets.Select(target => PsCommand.Row(target, DateTimeOffset.UtcNow))));
            foreach (var silent in started.Unanswered)
                StandardText.Complain(SafeText.Of($"{silent.Node}: {silent.Message}"));
            return started.Unanswered.Count > 0 ? ExitStatus.Failed
                : started.Targets.Count == 0 ? ExitStatus.NothingMatched
                : ExitStatus.Success;
        });
    }

    /// <summary>Which choice was made of what matches, so that it can be made again.</summary>
    private static void Tell(Selection selection, RunStarted started)
    {
        if (started.Matched <= started.Targets.Count)
            return;
        StandardText.Complain(selection.Sample is null
            ? $"{started.Targets.Count} of the {started.Matched} containers that match"
            : $"{started.Targets.Count} of the {started.Matched} containers that match, drawn with --seed {selection.SampleSeed}");
    }
}
