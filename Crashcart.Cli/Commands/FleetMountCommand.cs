using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Remote;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart fleet mount</c> and <c>unmount</c>: the image in every container that a selection matches.</summary>
internal static class FleetMountCommand
{
    public static Command CreateMount() => Create(
        "mount",
        """
        Mount the toolbox at /dev/crashcart of every container that a selection matches.

        Everything in a container sees it, until it is unmounted or the container ends; 'crashcart mounts'
        lists it.

        Exit status: 0 every container has it; 3 nothing matched; 125 some container was not reached, or does
        not take it.
        """,
        force: null,
        (coordinator, selection, _) => RemoteMounts.MountAsync(coordinator, new MountRequest { Selection = selection }, isSelection: true));

    public static Command CreateUnmount() => Create(
        "unmount",
        """
        Unmount the toolbox from /dev/crashcart of every container that a selection matches.

        Where it is used it stays, and who uses it is said.

        Exit status: 0 no container has it any more; 3 nothing matched; 125 some container was not reached, or
        has it still.
        """,
        new Option<bool>("--force", "-f") { Description = "Detach it even while processes use it; they keep what they have open" },
        (coordinator, selection, force) => RemoteMounts.UnmountAsync(
            coordinator, new UnmountRequest { Selection = selection, Force = force }, isSelection: true));

    private static Command Create(
        string name, string description, Option<bool>? force, Func<string?, Selection, bool, Task<int>> act)
    {
        var command = new Command(name, description);
        var label = CommonOptions.Label();
        var node = CommonOptions.Node();
        var coordinator = CommonOptions.Coordinator();
        command.Add(label);
        command.Add(node);
        if (force is not null)
            command.Add(force);
        command.Add(coordinator);
        command.SetAction((parsed, _) =>
        {
            var selection = new Selection { Selector = CommonOptions.Join(parsed.GetValue(label)), Node = parsed.GetValue(node) ?? "" };
            if (selection.Selector.Length == 0 && selection.Node.Length == 0)
                throw new CrashcartException(
                    FailureReason.BadRequest, "Which containers? Give --label SELECTOR, or --node GLOB ('*' is every container of the fleet).");
            return act(parsed.GetValue(coordinator), selection, force is not null && parsed.GetValue(force));
        });
        return command;
    }
}
