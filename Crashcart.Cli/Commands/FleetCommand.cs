using System.CommandLine;

namespace Crashcart.Cli.Commands;

/// <summary><c>crashcart fleet</c>: what is done to every container that a selection matches.</summary>
internal static class FleetCommand
{
    public static Command Create() => new("fleet", "Act on every container of the fleet that a selection matches.")
    {
        FleetExecCommand.Create(),
        FleetCaptureCommand.Create(),
        FleetCpCommand.Create(),
        FleetMountCommand.CreateMount(),
        FleetMountCommand.CreateUnmount(),
    };
}
