using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
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

            Each line of output stands behind its NODE/CONTAINER. The tools' standard input is empty. The first
            Ctrl-C interrupts every tool everywhere, the second ends the run. From TOOL on every word is the
            tool's, with or without --.

            Exit status: 0 every tool ended with 0; 1 some tool did not; 3 nothing matched; 124 some tool ran out
            of time; 125 some target was not reached, or crashcart failed.

            Example: crashcart fleet exec --label app=web tcpdump -c 3 -ni any
            """);
        var tool = new ToolArgument("TOOL ARGS…", required: true);
        var label = CommonOptions.Label();
        var node = CommonOptions.Node();
        var parallel = new Option<string>("--parallel") { HelpName = "N", Description = "At most so many tools at one time; by default all" };
        var image = CommonOptions.FleetImage();
        var session = new SessionOptions();
        var coordinator = CommonOptions.Coordinator();
        command.Add(tool);
        command.Add(label);
        command.Add(node);
        command.Add(parallel);
        command.Add(image);
        session.AddTo(command);
        command.Add(coordinator);

        command.SetAction((parsed, _) =>
        {
            var selection = new Selection { Selector = CommonOptions.Join(parsed.GetValue(label)), Node = parsed.GetValue(node) ?? "" };
            if (selection.Selector.Length == 0 && selection.Node.Length == 0)
                throw new CrashcartException(
                    FailureReason.BadRequest, "Which containers? Give --label SELECTOR, or --node GLOB ('*' is every container of the fleet).");
            var request = session.Read(parsed, parsed.GetValue(tool)!, terminal: false);
            var run = new RunRequest
            {
                Selection = selection,
                Tool = request.ToTool(default, stdin: false),
                Parallel = parsed.GetValue(parallel) is { } count ? Quantities.Count("--parallel", count) : 0,
                Image = ImageNames.InFleet(parsed.GetValue(image)),
                TimeoutMs = (ulong)(request.Timeout?.TotalMilliseconds ?? 0),
            };
            return RunAsync(run, Settings.Coordinator(parsed.GetValue(coordinator)));
        });
        return command;
    }

    private static async Task<int> RunAsync(RunRequest request, CoordinatorAddress address)
    {
        using var client = new CoordinatorClient(address);
        using var call = new RunCall(client);
        var run = new FleetRun(
            StandardStream.Output, StandardStream.Error, TargetLabels.IsColourful(1), TargetLabels.IsColourful(2), StandardText.Error,
            UserTerminal.IsTerminal(1), UserTerminal.IsTerminal(2))
        {
            Wait = ImageWait.OnStandardError(),
            Waiting = call.IsWaiting,
        };
        return await call.RunAsync(request, run.Wait, run.FollowAsync);
    }
}
