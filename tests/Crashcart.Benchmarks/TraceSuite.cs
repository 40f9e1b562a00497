using System.Globalization;
using System.Text;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>Where the time of one request goes: <c>crashcart exec NODE/CONTAINER true</c>, cut at what its processes ask of the kernel.</summary>
internal static class TraceSuite
{
    /// <summary>Not counted: they compile what the others run, and attach the image.</summary>
    private const int WarmUp = 30;

    public static async Task<string> Run(int rounds)
    {
        using var trace = KernelTrace.TryStart("connect", "accept4", "sendmsg", "pidfd_open", "fsync", "memfd_create", "setns", "exit_group");
        if (trace is null)
            return "Where the time of one request goes is not known: this kernel has no trace of system calls below /sys/kernel/tracing.\n";
        await using var bench = await Bench.Open();
        await using var box = await bench.Docker.RunBusybox("--label", "app=trace");
        await bench.Fleet.Sees(1, "app=trace");
        var exec = bench.Timed("Crashcart", bench.Fleet.Crashcart("exec", $"{bench.Node}/{box.Name}", "true"));
        var docker = bench.Timed("docker exec", bench.Docker.Docker("exec", box.Id, "/bin/true"));
        for (var round = 0; round < WarmUp; round++)
            await exec.Sample();

        var stages = Stages(bench);
        var times = stages.Select(_ => new List<TimeSpan>()).ToArray();
        var traced = exec with
        {
            Before = trace.Clear,
            Sample = async () =>
            {
                var time = await exec.Sample();
                if (Cut(trace.Read(), stages) is { } cut)
                    for (var stage = 0; stage < cut.Length; stage++)
                        times[stage].Add(cut[stage]);
                return time;
            },
        };
        var all = await Interleaved.Measure(rounds, traced, docker);
        return Table(stages, [.. times.Select(stage => new Samples(stage))], all[traced], all[docker]);
    }

    private static Stage[] Stages(Bench bench)
    {
        var (coordinator, node) = (bench.Fleet.Coordinators[0].Pid, bench.Fleet.Nodes[0].Daemon.Pid);
        return
        [
            new("`crashcart` starts and reads its command line", (seen, cli) => seen.Process == cli && seen.Name == "connect"),
            new("the coordinator takes the call", (seen, _) => seen.Process == coordinator && seen.Name == "accept4"),
            new("the request comes, and a run asks the node for the container", (seen, _) => seen.Process == coordinator && seen.Name == "sendmsg"),
            new("the node answers", (seen, _) => seen.Process == node && seen.Name == "sendmsg"),
            new("the run starts the session, which opens its stream and the container", (seen, _) => seen.Process == node && seen.Name == "pidfd_open"),
            new("the session takes its lease on the image", (seen, _) => seen.Process == node && seen.Name == "fsync"),
            new("the audit log has it on disk", (seen, _) => seen.Process == node && seen.Name == "memfd_create"),
            new("`crashcart-enter` starts", (seen, _) => IsStart(seen) && seen.Command == "crashcart-enter"),
            new("the session gets its cgroup, and `crashcart-enter` enters the container", (seen, _) => seen.Name == "setns"),
            new("the image is mounted, and privileges are given up", (seen, _) => IsStart(seen) && seen.Command == "true"),
            new("the tool runs", (seen, _) => IsEnd(seen) && seen.Command == "true"),
            new("`crashcart-enter` reaps it and removes the cgroup", (seen, _) => IsEnd(seen) && seen.Command == "crashcart-enter"),
            new("the exit status goes by node and coordinator to `crashcart`", (seen, cli) => seen.Process == cli && seen.Name == "exit_group"),
            new("`crashcart` ends", (seen, cli) => seen.Thread == cli && IsEnd(seen)),
        ];
    }

    private static bool IsStart(KernelEvent seen) => seen.Name == "sched_process_exec";

    private static bool IsEnd(KernelEvent seen) => seen.Name == "sched_process_exit";

    /// <summary>How long each stage took; null when the trace has not all of them, for some process was traced too late.</summary>
    private static TimeSpan[]? Cut(IReadOnlyList<KernelEvent> events, Stage[] stages)
    {
        var start = events.FirstOrDefault(seen => IsStart(seen) && seen.Arguments.Contains($"filename={Artifacts.Cli} ", StringComparison.Ordinal));
        var ends = new List<TimeSpan> { start.At };
        foreach (var stage in stages)
        {
            var end = events.FirstOrDefault(seen => seen.At > ends[^1] && stage.IsEnd(seen, start.Thread));
            if (end == default)
                return null;
            ends.Add(end.At);
        }

        return [.. ends.Zip(ends.Skip(1), (from, to) => to - from)];
    }

    private static string Table(Stage[] stages, Samples[] times, Samples ours, Samples docker)
    {
        if (times[0].Count == 0)
            throw new InvalidOperationException("No request was seen in the kernel's trace from its start to its end.");
        var table = new StringBuilder()
            .AppendLine("| stage of `crashcart exec NODE/CONTAINER true` | median ms | least ms | p90 ms |")
            .AppendLine("| --- | --- | --- | --- |");
        foreach (var (stage, samples) in stages.Zip(times))
            Line(stage.Name, samples);
        Line("all of it", ours);
        Line("`docker exec`, in turn", docker);
        return table.AppendLine().AppendLine(
            $"A stage ends when a process asks the kernel for what is next. Of {times[0].Count} requests; medians of stages do not add up to the median of all.").ToString();

        void Line(string name, Samples samples) => table.AppendLine(string.Create(
            CultureInfo.InvariantCulture, $"| {name} | {samples.Median:0.00} | {samples.Quantile(0):0.00} | {samples.Quantile(0.9):0.00} |"));
    }

    /// <param name="IsEnd">Whether this event ends it, given the number of the client's process.</param>
    private sealed record Stage(string Name, Func<KernelEvent, int, bool> IsEnd);
}
