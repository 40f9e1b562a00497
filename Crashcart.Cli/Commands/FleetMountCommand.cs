using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart fleet mount</c> and <c>unmount</c>: the image in every container that a selection matches.</summary>
internal static class FleetMountCommand
{
    public static Command CreateMount()
    {
        var image = CommonOptions.FleetImage();
        return Create(
            "mount",
            """
            Mount the toolbox at /dev/crashcart of every container that a selection matches.

            Everything in a container sees it, until it is unmounted or the container ends; 'crashcart mounts'
            lists it. A container has room for one image there, and for others beside it, with --at.

            Exit status: 0 every container has it; 3 nothing matched; 125 some container was not reached, or does
            not take it.
            """,
            image,
            (parsed, coordinator, selection, path, reason) => RemoteMounts.MountAsync(
                coordinator,
                new MountRequest { Selection = selection, Image = ImageNames.InFleet(parsed.GetValue(image)), Path = path, Reason = reason },
                isSelection: true));
    }

    public static Command CreateUnmount()
    {
        var force = new Option<bool>("--force", "-f") { Description = "Detach it even while processes use it; they keep what they have open" };
        return Create(
            "unmount",
            """
            Unmount the toolbox from /dev/crashcart of every container that a selection matches.

            Where it is used it stays, and who uses it is said.

            Exit status: 0 no container has it any more; 3 nothing matched; 125 some container was not reached, or
            has it still.
            """,
            force,
            (parsed, coordinator, selection, path, reason) => RemoteMounts.UnmountAsync(
                coordinator, new UnmountRequest { Selection = selection, Force = parsed.GetValue(force), Path = path, Reason = reason }, isSelection: true));
    }

    private static Command Create(
        string name, string description, Option own, Func<ParseResult, string?, Selection, string, string, Task<int>> act)
    {
        var command = new Command(name, description);
        var selection = new SelectionOptions();
        var at = CommonOptions.At();
        var reason = CommonOptions.Reason();
        var coordinator = CommonOptions.Coordinator();
        selection.AddFilterTo(command);
        command.Add(own);
        command.Add(at);
        command.Add(reason);
        command.Add(coordinator);
        command.SetAction((parsed, _) =>
        {
            var path = MountPath.Parse(parsed.GetValue(at) ?? SharedMount.Path);
            return act(parsed, parsed.GetValue(coordinator), selection.Read(parsed), path.ToString(), parsed.GetValue(reason) ?? "");
        });
        return command;
    }
}
