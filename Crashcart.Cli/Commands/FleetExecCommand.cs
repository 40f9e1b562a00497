using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Grammar;

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

            With --detach the run goes on by itself, and 'crashcart runs logs' shows what came of it. Its output is
            kept on the hosts: 64 MiB of each container, if --max-bytes does not say otherwise.

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
        var detach = CommonOptions.Detach();
        var image = CommonOptions.FleetImage();
        var session = new SessionOptions();
        var coordinator = CommonOptions.Coordinator();
        command.Add(tool);
        selection.AddTo(command);
        fanOut.AddTo(command);
        form.AddTo(command);
        command.Add(stdin);
        command.Add(detach);
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
                Reason = request.Reason,
                TimeoutMs = (ulong)(request.Timeout?.TotalMilliseconds ?? 0),
                Ask = !parsed.GetValue(yes) && Confirmation.IsPossible,
            };
            fanOut.Read(parsed, run);
            if (parsed.GetValue(detach))
            {
                DetachedRun.Check(run, form.Chosen(parsed));
                return DetachedRun.StartAsync(run, Settings.Coordinator(parsed.GetValue(coordinator)));
            }

            var output = form.Read(parsed);
            var address = Settings.Coordinator(parsed.GetValue(coordinator));
            return FleetRunner.RunAsync(run, output, address);
        });
        return command;
    }
}
