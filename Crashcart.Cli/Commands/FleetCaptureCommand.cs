using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output;
using Crashcart.Cli.Output.Capture;
using Crashcart.Cli.Output.Runs;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart fleet capture</c>: the packets of many containers in one capture.</summary>
internal static class FleetCaptureCommand
{
    public static Command Create()
    {
        var command = new Command("capture", """
            Capture packets in every container of the fleet that a selection matches, as one pcapng.

            Each container is an interface of the capture, named NODE/CONTAINER. Packets are in the order of their
            times, as the hosts' clocks have them, within half a second. Ctrl-C ends it, and the capture is whole.

            Example: crashcart fleet capture --label app=web -- port 80 | wireshark -k -i -
            """);
        var filter = new ToolArgument("FILTER…", required: false);
        var selection = new SelectionOptions();
        var fanOut = new FanOutOptions();
        var interfaces = new Option<string>("--interface") { HelpName = "NAME", Description = "Of the containers; any by default" };
        var snapLength = new Option<string>("--snaplen", "-s") { HelpName = "BYTES", Description = "Keep so much of each packet; all by default" };
        var count = new Option<string>("--count", "-c") { HelpName = "N", Description = "End in each container after so many packets" };
        var file = new Option<string>("--write", "-w") { HelpName = "FILE", Description = "Where the capture goes; standard output by default" };
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask before capturing in very many containers" };
        var reason = CommonOptions.Reason();
        var coordinator = CommonOptions.Coordinator();
        command.Add(filter);
        selection.AddTo(command);
        fanOut.AddTo(command);
        foreach (Option option in (Option[])[interfaces, snapLength, count, file, yes, reason, coordinator])
            command.Add(option);

        command.SetAction((parsed, _) =>
        {
            string[] tcpdump =
            [
                "tcpdump", "-n", "-U", "--immediate-mode", "-w", "-", "-i", parsed.GetValue(interfaces) ?? "any",
                .. Number(parsed, snapLength, "-s"), .. Number(parsed, count, "-c"), "--", .. parsed.GetValue(filter) ?? [],
            ];
            var run = new RunRequest
            {
                Reason = parsed.GetValue(reason) ?? "",
                Selection = selection.Read(parsed),
                Tool = new SessionRequest { Tool = tcpdump }.ToTool(default, stdin: false),
                Ask = !parsed.GetValue(yes) && Confirmation.IsPossible,
            };
            fanOut.Read(parsed, run);
            var path = parsed.GetValue(file);
            if (path is null && UserTerminal.IsTerminal(1) && run.Mode != RunMode.DryRun)
                throw new CrashcartException(
                    FailureReason.BadRequest, "A capture is nothing for a terminal; give --write FILE, or a program that reads it: … | wireshark -k -i -");
            return FleetRunner.RunAsync(
                run, () => Output(() => path is null ? StandardStream.Output : Open(path)), Settings.Coordinator(parsed.GetValue(coordinator)));
        });
        return command;
    }

    private static CaptureOutput Output(Func<Stream> open)
    {
        var labels = new TargetLabels(colourOutput: false, TargetLabels.IsColourful(2));
        var lines = new LineOutput(Stream.Null, StandardStream.Error, labels, errorIsTerminal: UserTerminal.IsTerminal(2));
        return new CaptureOutput(open, new PrefixedOutput(lines, labels), StandardText.Error, TimeProvider.System);
    }

    private static FileStream Open(string path)
    {
        try
        {
            return new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrashcartException(FailureReason.System, $"Cannot write '{SafeText.Of(path)}': {e.Message}", e);
        }
    }

    private static string[] Number(ParseResult parsed, Option<string> option, string flag) =>
        parsed.GetValue(option) is { } text ? [flag, $"{Quantities.Count(option.Name, text)}"] : [];
}
