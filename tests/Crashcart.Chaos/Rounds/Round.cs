using System.Diagnostics;
using System.Globalization;
using Crashcart.Chaos.Fleet;
using Crashcart.Chaos.Plans;
using Crashcart.Chaos.State;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos.Rounds;

/// <summary>What came of a round.</summary>
/// <param name="Faults">Those that hit something.</param>
/// <param name="Settled">From the end of load and repair until the host was as before; null when it was not in time.</param>
/// <param name="Failures">What is not as it has to be.</param>
/// <param name="Course">How long load, its end and the repair took.</param>
/// <param name="Pace">How long one command took on this host, with nothing broken.</param>
internal sealed record RoundResult(IReadOnlyList<string> Faults, TimeSpan? Settled, IReadOnlyList<string> Failures, string Course, TimeSpan Pace);

/// <summary>One round: load, faults, repair, and the question whether the host is as it was.</summary>
/// <param name="pace">As of the round before. Where commands are slow, they are given longer to come to the steps that are armed.</param>
internal sealed class Round(RoundPlan plan, ChaosFleet fleet, Expectation expected, TimeSpan pace)
{
    /// <summary>Nothing that is planned lies later.</summary>
    private static readonly TimeSpan Planned = TimeSpan.FromMilliseconds(750);

    private static readonly TimeSpan LongestExtension = TimeSpan.FromSeconds(10);

    private readonly Breaker _breaker = new(fleet);
    private readonly List<string> _failures = [];
    private readonly List<string> _hit = [];

    /// <summary>A signal that asks a mount or unmount to end is as good as a kill.</summary>
    private bool _interrupted;

    public async Task<RoundResult> Run()
    {
        var clock = Stopwatch.StartNew();
        var breaking = Break(clock);
        var loads = await Load(clock);
        await breaking;
        await Until(clock, Planned + TimeSpan.FromTicks(Math.Min(3 * pace.Ticks, LongestExtension.Ticks)));

        var loaded = clock.Elapsed;
        _breaker.Disarm();
        using var resuming = new CancellationTokenSource();
        var resume = ResumeAgainAndAgain(resuming.Token);
        await EndLoads(loads);
        var ended = clock.Elapsed;
        await _breaker.Mend();
        _hit.AddRange(_breaker.StepsTaken());
        await Unmount();
        var began = clock.Elapsed;
        await LocalToolRuns();
        var took = clock.Elapsed - began;
        await resuming.CancelAsync();
        await resume;
        var mended = clock.Elapsed;

        var settled = await Settle();
        return new RoundResult(_hit, settled, _failures, Course(loaded, ended - loaded, mended - ended), took);
    }

    private static string Course(TimeSpan load, TimeSpan end, TimeSpan repair) => string.Create(
        CultureInfo.InvariantCulture, $"load {load.TotalSeconds:0.0} s, end {end.TotalSeconds:0.0} s, repair {repair.TotalSeconds:0.0} s");

    private async Task Break(Stopwatch clock)
    {
        foreach (var fault in plan.Faults)
        {
            await Until(clock, fault.At);
            if (await _breaker.Break(fault) && fault.Kind != FaultKind.Step)
                _hit.Add($"{fault.Kind} {fault.Action}");
        }
    }

    private async Task<List<LoadProcess>> Load(Stopwatch clock)
    {
        var loads = new List<LoadProcess>();
        foreach (var load in plan.Loads.OrderBy(load => load.At))
        {
            await Until(clock, load.At);
            loads.Add(Loads.Start(load, fleet));
        }
        return loads;
    }

    /// <summary>A process that knows of its fault already may come to the step where it stops only now.</summary>
    private static async Task ResumeAgainAndAgain(CancellationToken end)
    {
        while (!end.IsCancellationRequested)
        {
            Breaker.Resume();
            await Task.Delay(TimeSpan.FromMilliseconds(200), end).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        Breaker.Resume();
    }

    private async Task EndLoads(List<LoadProcess> loads)
    {
        _interrupted = loads.Any(load => !load.HasExited) && plan.Loads.Any(load => load.IsMount);
        foreach (var hung in await Task.WhenAll(loads.Select(load => load.End(CommandLines))))
        {
            if (hung != null)
                _failures.Add(hung);
        }
        loads.ForEach(load => load.Dispose());
    }

    /// <summary>The crashcart processes of one load: itself, or what a shell or script(1) has started.</summary>
    private static IEnumerable<int> CommandLines(int load)
    {
        var processes = HostProcesses.Read();
        return [load, .. processes.Of(Artifacts.Cli).Where(process => IsBelow(process, load)).Select(process => process.Pid)];

        bool IsBelow(ProcessEntry process, int ancestor) =>
            process.Parent == ancestor || processes.All.FirstOrDefault(parent => parent.Pid == process.Parent) is { Pid: > 1 } parent && IsBelow(parent, ancestor);
    }

    /// <summary>What a person has mounted stays until a person unmounts it.</summary>
    private async Task Unmount()
    {
        Box[] stuck = [];
        try
        {
            await Eventually.Holds(async () => (stuck = await MountsOfNobody()).Length == 0, "released", Expectation.SettleLimit);
        }
        catch (TimeoutException)
        {
            _failures.AddRange(stuck.Select(box => $"the shared mount in {box.NodeAndName} outlives its sessions"));
        }
        foreach (var box in fleet.Boxes.Where(HasMount))
            await Unmount(box);
    }

    private async Task Unmount(Box box)
    {
        var result = await fleet.Undisturbed("unmount", "--force", box.PidText).Run();
        if (result.ExitCode != 0 && HasMount(box))
            _failures.Add($"{result.Command} in {box.NodeAndName} failed: {result.Error}");
    }

    /// <summary>What a killed process had in hand is nobody's to undo at once.</summary>
    private bool HasKilled => _interrupted || _hit.Any(hit => hit.EndsWith("kill", StringComparison.Ordinal)
        || hit.EndsWith(" restart", StringComparison.Ordinal)
        || hit == "CommandLine terminate");

    private bool IsMountedByHand(Box box) => plan.Loads.Any(load => load.IsMount && fleet.Boxes[load.Place % fleet.Boxes.Count] == box);

    /// <summary>Where there is a mount that nobody asked for, and nobody will take away.</summary>
    private async Task<Box[]> MountsOfNobody()
    {
        Box[] mounted = [.. fleet.Boxes.Where(box => HasMount(box) && !IsMountedByHand(box))];
        if (mounted.Length == 0 || !HasKilled)
            return mounted;
        var known = await SharedLocks.SessionMounts();
        return [.. mounted.Where(box => !known.Contains(MountIdIn(box)))];
    }

    private static bool HasMount(Box box) => MountIdIn(box) != "";

    private static string MountIdIn(Box box)
    {
        try
        {
            return File.ReadLines($"/proc/{box.Pid}/mountinfo")
                .Select(line => line.Split(' '))
                .FirstOrDefault(fields => fields[4] == "/dev/crashcart")?[0] ?? "";
        }
        catch (IOException)
        {
            return "";
        }
    }

    private async Task<TimeSpan?> Settle()
    {
        var clock = Stopwatch.StartNew();
        IReadOnlyList<string> differences = [];
        try
        {
            await Eventually.Holds(IsAsBefore, "as before", Expectation.SettleLimit);
            return clock.Elapsed;
        }
        catch (TimeoutException)
        {
            _failures.AddRange(differences);
            return null;
        }
        finally
        {
            expected.Accept(differences);
        }

        async Task<bool> IsAsBefore()
        {
            // A node goes on with what it was asked for when the command line that asked is interrupted.
            foreach (var box in fleet.Boxes.Where(box => HasMount(box) && IsMountedByHand(box)))
                await Unmount(box);
            return (differences = expected.Differences(HasKilled)).Count == 0;
        }
    }

    /// <summary>After everything a tool runs as if nothing had happened.</summary>
    private async Task LocalToolRuns()
    {
        var box = fleet.Boxes[plan.Number % fleet.Boxes.Count];
        var result = await fleet.Undisturbed("exec", box.PidText, "--", "busybox", "echo", "well").Run();
        if (result.ExitCode != 0 || result.Output != "well\n")
            _failures.Add($"{result.Command} in {box.NodeAndName} exited with {result.ExitCode} and said '{result.Output}{result.Error}'");
    }

    private static async Task Until(Stopwatch clock, TimeSpan at)
    {
        var left = at - clock.Elapsed;
        if (left > TimeSpan.Zero)
            await Task.Delay(left);
    }
}
