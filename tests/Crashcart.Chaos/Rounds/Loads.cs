using Crashcart.Chaos.Fleet;
using Crashcart.Chaos.Plans;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos.Rounds;

/// <summary>The command line of each kind of load.</summary>
internal static class Loads
{
    private static readonly string[] Short = ["--", "busybox", "true"];
    private static readonly string[] Long = ["--", "busybox", "sleep", "1000"];
    private static readonly string[] Shell = ["--", "busybox", "sh"];
    private static readonly string[] Everywhere = ["fleet", "exec", "-l", "app=chaos"];

    public static LoadProcess Start(LoadPlan plan, ChaosFleet fleet)
    {
        var box = fleet.Boxes[plan.Place % fleet.Boxes.Count];
        var slow = plan.Kind is LoadKind.LocalSlowReader or LoadKind.FleetSlowReader;
        return LoadProcess.Start(CommandLine(plan.Kind, box, words => fleet.Crashcart(plan.Place, words)), slow);
    }

    private static Command CommandLine(LoadKind kind, Box box, Func<string[], Command> crashcart) => kind switch
    {
        LoadKind.LocalExec => crashcart(["exec", box.PidText, .. Short]),
        LoadKind.LocalLong => crashcart(["exec", box.PidText, .. Long]),
        LoadKind.LocalOutput => crashcart(["exec", box.PidText, .. Output(300)]),
        LoadKind.LocalSlowReader => crashcart(["exec", box.PidText, .. Output(300)]),
        LoadKind.LocalTerminal => InTerminal(crashcart(["exec", "-t", box.PidText, .. Shell])),
        LoadKind.LocalShared => crashcart(["exec", "--shared", box.PidText, .. Long]),
        LoadKind.Mount => crashcart(["mount", box.PidText]),
        LoadKind.MountAndUnmount => OneAfterTheOther(crashcart(["mount", box.PidText]), crashcart(["unmount", box.PidText])),
        LoadKind.NodeMount => crashcart(["mount", box.NodeAndName]),
        LoadKind.NodeMountAndUnmount => OneAfterTheOther(crashcart(["mount", box.NodeAndName]), crashcart(["unmount", box.NodeAndName])),
        LoadKind.NodeExec => crashcart(["exec", box.NodeAndName, .. Short]),
        LoadKind.NodeShared => crashcart(["exec", "--shared", box.NodeAndName, .. Long]),
        LoadKind.NodeTerminal => InTerminal(crashcart(["exec", "-t", box.NodeAndName, .. Shell])),
        LoadKind.FleetExec => crashcart([.. Everywhere, .. Short]),
        LoadKind.FleetLong => crashcart([.. Everywhere, .. Long]),
        LoadKind.FleetOutput => crashcart([.. Everywhere, "--raw", .. Output(50)]),
        LoadKind.FleetSlowReader => crashcart([.. Everywhere, "--raw", .. Output(50)]),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such load"),
    };

    /// <summary>Blocks of 64 KiB.</summary>
    private static string[] Output(int blocks) => ["--", "busybox", "dd", "if=/dev/zero", "bs=64k", $"count={blocks}"];

    /// <summary>With a terminal that script(1) makes.</summary>
    private static Command InTerminal(Command command) =>
        command with { Program = "script", Arguments = ["-qefc", string.Join(' ', [command.Program, .. command.Arguments]), "/dev/null"] };

    private static Command OneAfterTheOther(Command first, Command second) => first with
    {
        Program = "sh",
        Arguments = ["-c", $"{string.Join(' ', [first.Program, .. first.Arguments])}; {string.Join(' ', [second.Program, .. second.Arguments])}"],
    };
}
