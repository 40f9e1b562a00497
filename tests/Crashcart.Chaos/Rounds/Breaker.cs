using Crashcart.Chaos.Fleet;
using Crashcart.Chaos.Plans;
using Crashcart.Chaos.State;
using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.Chaos.Rounds;

/// <summary>Breaks things as planned, and afterwards brings back what a host brings back: its services and containers.</summary>
internal sealed class Breaker(ChaosFleet fleet)
{
    private readonly HashSet<ChaosNode> _brokenDocker = [];
    private readonly List<ChaosNode> _withoutDocker = [];
    private readonly List<Task> _later = [];
    private readonly HashSet<Daemon> _ending = [];
    private bool _containersMayBeDown;

    /// <summary>The answer is false when there was nothing to break at that moment.</summary>
    public async Task<bool> Break(FaultPlan fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.Step:
                var (step, action) = (fault.Action.Split(' ')[0], fault.Action.Split(' ')[1]);
                await File.WriteAllTextAsync(Path.Combine(fleet.Faults, step), action);
                return true;
            case FaultKind.Node:
                return await BreakDaemon(fleet.Nodes[fault.Place % fleet.Nodes.Count].Daemon, fault);
            case FaultKind.Coordinator:
                return await BreakDaemon(fleet.Coordinators[fault.Place % fleet.Coordinators.Count], fault);
            case FaultKind.Container:
                return await BreakContainer(fleet.Boxes[fault.Place % fleet.Boxes.Count], fault);
            case FaultKind.Docker:
                return await BreakDocker(fleet.Nodes[fault.Place % fleet.Nodes.Count], fault);
            case FaultKind.StateDirectory:
                var state = fleet.Nodes[fault.Place % fleet.Nodes.Count].State;
                if (state.IsBroken)
                    return false;
                await state.Break(fault.Action);
                return true;
            default:
                return BreakProcess(fault);
        }
    }

    /// <summary>The steps that were armed and that some process came to, or has been told of; call it once.</summary>
    public IReadOnlyList<string> StepsTaken()
    {
        var taken = new List<string>();
        foreach (var file in Directory.GetFiles(fleet.Faults, "taken-*"))
        {
            var name = Path.GetFileName(file)["taken-".Length..];
            taken.Add($"{name[..name.LastIndexOf('-')]} {File.ReadAllText(file)}");
            File.Delete(file);
        }
        return taken;
    }

    /// <summary>Lets go on what was stopped.</summary>
    public static void Resume()
    {
        foreach (var process in HostProcesses.Read().Stopped)
            _ = LibC.kill(process.Pid, LibC.SIGCONT);
    }

    /// <summary>Disarms the steps that nobody came to; from now on nothing breaks.</summary>
    public void Disarm()
    {
        foreach (var file in Directory.GetFiles(fleet.Faults).Where(file => !Path.GetFileName(file).StartsWith("taken-", StringComparison.Ordinal)))
            File.Delete(file);
    }

    /// <summary>Starts again what was ended, as systemd and an operator would.</summary>
    public async Task Mend()
    {
        await Task.WhenAll(_later);
        foreach (var node in _withoutDocker)
            await node.Docker.StartDaemon();
        foreach (var node in fleet.Nodes)
        {
            if (await node.State.Mend())
                await node.Daemon.Kill();
        }
        foreach (var daemon in fleet.Daemons)
        {
            if (daemon.IsGone)
                await daemon.Kill();
            if (daemon.HasExited)
                daemon.Start();
        }
        await fleet.HasStarted();
        if (_containersMayBeDown)
        {
            foreach (var box in fleet.Boxes)
                await box.Run();
        }
    }

    private async Task<bool> BreakDaemon(Daemon daemon, FaultPlan fault)
    {
        if (daemon.HasExited || daemon.IsGone || _ending.Contains(daemon))
            return false;
        switch (fault.Action)
        {
            case "kill":
                await daemon.Kill();
                break;
            case "restart":
                await daemon.Kill();
                daemon.Start();
                break;
            case "terminate":
                _ending.Add(daemon);
                _later.Add(daemon.Stop());
                break;
            case "stop":
                daemon.Signal(LibC.SIGSTOP);
                _later.Add(Later(fault.Length, () => daemon.Signal(LibC.SIGCONT)));
                break;
            default:
                throw NoSuchAction(fault);
        }
        return true;
    }

    private async Task<bool> BreakContainer(Box box, FaultPlan fault)
    {
        _containersMayBeDown = true;
        string[] words = fault.Action switch
        {
            "kill" => ["kill", box.Name],
            "stop" => ["stop", "-t", "0", box.Name],
            "restart" => ["restart", "-t", "0", box.Name],
            "pause" => ["pause", box.Name],
            "remove" => ["rm", "-f", box.Name],
            _ => throw NoSuchAction(fault),
        };
        // Another fault of this round may have it, or its Docker, already.
        return (await box.Docker(words).Run()).ExitCode == 0;
    }

    private async Task<bool> BreakDocker(ChaosNode node, FaultPlan fault)
    {
        if (!_brokenDocker.Add(node))
            return false;
        // A daemon that comes back finds its containers, or starts none of those that ended with it.
        _containersMayBeDown = true;
        switch (fault.Action)
        {
            case "kill":
                await node.Docker.KillDaemon();
                _withoutDocker.Add(node);
                break;
            case "terminate":
                await node.Docker.StopDaemon();
                _withoutDocker.Add(node);
                break;
            case "restart":
                await node.Docker.KillDaemon();
                _later.Add(node.Docker.StartDaemon());
                break;
            case "stop":
                node.Docker.Signal(LibC.SIGSTOP);
                _later.Add(Later(fault.Length, () => node.Docker.Signal(LibC.SIGCONT)));
                break;
            default:
                throw NoSuchAction(fault);
        }
        return true;
    }

    private static bool BreakProcess(FaultPlan fault)
    {
        var processes = HostProcesses.Read();
        ProcessEntry[] victims =
        [
            .. (fault.Kind switch
            {
                FaultKind.CommandLine => processes.Of(Artifacts.Cli),
                FaultKind.Guardian => processes.Guardians,
                FaultKind.Entrant => processes.Entrants,
                FaultKind.Reaper => processes.Reapers,
                FaultKind.Tool => processes.Tools,
                _ => throw NoSuchAction(fault),
            }).OrderBy(process => process.Pid),
        ];
        if (victims.Length == 0)
            return false;
        var signal = fault.Action switch
        {
            "kill" => LibC.SIGKILL,
            "terminate" => LibC.SIGTERM,
            "stop" => LibC.SIGSTOP,
            _ => throw NoSuchAction(fault),
        };
        return LibC.kill(victims[fault.Place % victims.Length].Pid, signal) == 0;
    }

    private static async Task Later(TimeSpan delay, Action action)
    {
        await Task.Delay(delay);
        action();
    }

    private static ArgumentOutOfRangeException NoSuchAction(FaultPlan fault) => new(nameof(fault), fault, "there is no such fault");
}
