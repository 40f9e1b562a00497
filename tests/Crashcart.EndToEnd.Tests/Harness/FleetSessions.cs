using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>One tool on each node, started by one command by way of the first coordinator.</summary>
internal sealed class FleetSessions(FleetHost fleet, string tool, RunningCommand command, Container onAlpha, Container onBeta) : IAsyncDisposable
{
    public RunningCommand Command => command;

    public Container OnAlpha => onAlpha;

    public Container OnBeta => onBeta;

    public static async Task<FleetSessions> Start(FleetHost fleet, string label, string tool)
    {
        var onAlpha = await fleet.Nodes[0].Docker.RunScratch("--label", $"app={label}");
        var onBeta = await fleet.Nodes[1].Docker.RunBusybox("--label", $"app={label}");
        await fleet.Sees(2, $"app={label}");
        var command = fleet.Crashcart(["fleet", "exec", "-l", $"app={label}", .. tool.Split(' ')]).Start();
        var sessions = new FleetSessions(fleet, tool, command, onAlpha, onBeta);
        await Eventually.Holds(() => HostProcess.Find(tool).Length == 2, () => $"two tools run; {command.ErrorSoFar}\n{fleet.Logs()}");
        return sessions;
    }

    /// <summary>Waits until the client has been told of the node that its target there is lost.</summary>
    public Task Tells(string node, TimeSpan within) => Eventually.Holds(
        () => command.ErrorSoFar.Contains($"{node}/", StringComparison.Ordinal),
        () => $"the loss of {node} is told; {command.ErrorSoFar}\n{fleet.Logs()}",
        within);

    /// <summary>Interrupts the client; some target was lost before.</summary>
    public async Task IsInterrupted()
    {
        command.Signal(LibC.SIGINT);
        (await command.Result()).Exited(125);
    }

    public async Task NothingIsLeft(TimeSpan within)
    {
        await HostProcess.Disappears(tool, within);
        await Eventually.Holds(() => !HostState.LoopDevicesOf(fleet.Image).Any(), "the loop device is free");
        await Eventually.Holds(() => HostProcess.Find("crashcart-enter exec").Length == 0, "no guardian is left");
        Assert.DoesNotContain([.. onAlpha.Mounts(), .. onBeta.Mounts()], line => line.Contains("/dev/crashcart", StringComparison.Ordinal));
    }

    public async ValueTask DisposeAsync()
    {
        await command.DisposeAsync();
        await onAlpha.DisposeAsync();
        await onBeta.DisposeAsync();
    }
}
