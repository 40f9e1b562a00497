using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Configuration;
using Crashcart.Cli.Copy;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart fleet cp</c>: the same file or tree out of many containers.</summary>
internal static class FleetCpCommand
{
    public static Command Create()
    {
        var command = new Command("cp", """
            Copy a file or directory out of every container of the fleet that a selection matches.

            FROM is the path in each container, with or without a colon before it. Each copy goes into
            DIR/NODE/CONTAINER/, where it is as 'crashcart cp' makes it: whole, or not there.

            Exit status: 0 all; 1 something was left out or changed while it was read; 3 nothing matched;
            125 some copy failed.

            Example: crashcart fleet cp --label app=web :/var/log/nginx logs/
            """);
        var from = new Argument<string>("FROM");
        var directory = new Argument<string>("DIR");
        var selection = new SelectionOptions();
        var fanOut = new FanOutOptions();
        var archive = new Option<bool>("--archive", "-a") { Description = "Keep owners, groups (by number) and set-ID bits" };
        var image = CommonOptions.FleetImage();
        var yes = new Option<bool>("--yes", "-y") { Description = "Do not ask before copying out of very many containers" };
        var reason = CommonOptions.Reason();
        var coordinator = CommonOptions.Coordinator();
        command.Add(from);
        command.Add(directory);
        selection.AddTo(command);
        fanOut.AddTo(command);
        foreach (Option option in (Option[])[archive, image, yes, reason, coordinator])
            command.Add(option);

        command.SetAction(async (parsed, _) =>
        {
            var file = ContainerFile.Parse(parsed.GetValue(from)!.TrimStart(':')).RequireCopyable();
            var run = new RunRequest
            {
                Reason = parsed.GetValue(reason) ?? "",
                Selection = selection.Read(parsed),
                Image = ImageNames.InFleet(parsed.GetValue(image)),
                Tool = ContainerTools.Read(file).ToTool(default, stdin: false),
                Ask = !parsed.GetValue(yes) && Confirmation.IsPossible,
            };
            fanOut.Read(parsed, run);
            if (run.Mode == RunMode.Follow)
                throw new CrashcartException(FailureReason.BadRequest, "A copy is made once, and --follow waits for containers that will come; leave it out.");
            var output = new FleetCopyOutput(parsed.GetValue(directory)!, file, parsed.GetValue(archive));
            var status = await FleetRunner.RunAsync(run, () => output, Settings.Coordinator(parsed.GetValue(coordinator)));
            return output.HasFailed ? ExitStatus.Failed
                : status == ExitStatus.Success && output.IsNotWhole ? ExitStatus.NotWhole
                : status;
        });
        return command;
    }
}
