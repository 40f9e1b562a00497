using System.Globalization;
using System.Text;
using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.Benchmarks;

/// <summary>One command in 1, 10 and 100 containers of two nodes, beside the tools that people use for it, and what it costs the fleet's processes.</summary>
internal static class FleetSuite
{
    /// <summary>Everybody's, at one time.</summary>
    private const int Parallel = 10;

    /// <summary>What sessions run that are held, and nobody else.</summary>
    private const string Held = "sleep 86396";

    private static readonly TimeSpan IdleTime = TimeSpan.FromMinutes(1);

    public static async Task<string> Run(int rounds, int containers)
    {
        int[] sizes = [.. ((int[])[1, 10, containers]).Distinct()];
        await using var bench = await FleetBench.Open(sizes);
        return string.Join('\n', [
            await Idle(bench, rounds),
            await Latency(bench, sizes, rounds),
            await Growth(bench, sizes),
        ]);
    }

    /// <summary>A fleet in which nothing is asked for, and one call.</summary>
    private static async Task<string> Idle(FleetBench bench, int rounds)
    {
        var processes = bench.NodePids.Append(bench.CoordinatorPid).ToDictionary(pid => pid, pid => ProcessUsage.Of(pid));
        await Task.Delay(IdleTime);
        var grown = processes.ToDictionary(process => process.Key, process => ProcessUsage.Of(process.Key) - process.Value);
        var node = bench.NodePids.MaxBy(pid => grown[pid].Processor);

        var call = bench.Timed("call", bench.Fleet.Crashcart("ps", "--label", "none"));
        var start = bench.Timed("start", bench.Fleet.Crashcart("--version"));
        var secured = bench.Timed("secured", bench.ByTls("ps", "--label", "none"));
        var all = await Interleaved.Measure(rounds, call, secured, start);
        var table = new StringBuilder()
            .AppendLine("| what | measured | bar |")
            .AppendLine("| --- | --- | --- |");
        Line("idle node: resident memory", ProcessUsage.Of(node).ResidentMiB, "MiB", 120);
        Line("idle node: processor", Share(grown[node]), "% of a core", 2);
        Line("idle coordinator: resident memory", ProcessUsage.Of(bench.CoordinatorPid).ResidentMiB, "MiB", null);
        Line("idle coordinator: processor", Share(grown[bench.CoordinatorPid]), "% of a core", null);
        Line("`crashcart ps`: one call on the Unix socket that asks both nodes, whole process", all[call].Median, "ms", 20);
        Line("the same over TCP with mutual TLS", all[secured].Median, "ms", 35);
        Line("`crashcart --version`: no call", all[start].Median, "ms", null);
        return table.AppendLine().AppendLine(
            $"Idle: {IdleTime.TotalSeconds:0} s with {bench.Ids(int.MaxValue).Count()} containers on two nodes, the busier node. Times are medians of {rounds}.").ToString();

        void Line(string what, double value, string unit, double? bar) => table.AppendLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {what} | {value:0.0} {unit} | {(bar is { } limit ? $"≤ {limit} {unit}: {(value <= limit ? "met" : "**missed**")}" : "")} |"));
    }

    private static double Share(ProcessUsage used) => 100 * used.Processor / IdleTime;

    private static async Task<string> Latency(FleetBench bench, int[] sizes, int rounds)
    {
        var table = new StringBuilder()
            .AppendLine("| containers | command | p50 ms | p99 ms | Crashcart's p50 is of it | coordinator, nodes: processor ms a target | n |")
            .AppendLine("| --- | --- | --- | --- | --- | --- | --- |");
        foreach (var size in sizes)
        {
            var cost = new Cost(bench);
            var ours = cost.Of(bench.Timed("crashcart fleet exec", bench.Fleet.Crashcart(
                "fleet", "exec", "--label", FleetBench.Selector(size), "--parallel", Number(Parallel), "true")));
            var secured = bench.Timed("crashcart fleet exec, by mutual TLS", bench.ByTls(
                "fleet", "exec", "--label", FleetBench.Selector(size), "--parallel", Number(Parallel), "true"));
            Peer[] peers = [ours, secured, DockerLoop(bench, size), Clush(bench, size), Pdsh(bench, size)];
            var all = await Interleaved.Measure(Math.Max(5, rounds * 10 / (10 + size)), peers);
            foreach (var peer in peers)
            {
                table.AppendLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"| {size} | {peer.Name} | {all[peer].Median:0.0} | {all[peer].Quantile(0.99):0.0} | {all[ours].Median / all[peer].Median:0.00} | {(peer == ours ? cost.PerTarget(size) : "")} | {all[peer].Count} |"));
            }
        }

        return table.AppendLine().AppendLine(
            $"Whole commands that run `true` in every container, {Parallel} at a time; containers on two nodes in turn, each node with a Docker daemon of its own. "
            + "The others run `docker exec`: xargs starts it for each container, clush and pdsh as their `exec` worker.").ToString();
    }

    private static Peer DockerLoop(FleetBench bench, int containers) => bench.Timed("docker exec, by xargs", new Command(
        "bash", ["-c", "printf '%s\\n' $0 | xargs -P \"$1\" -I ID \"${@:2}\"", Words(bench, containers, ' '), Number(Parallel), .. bench.DockerExec("ID")]));

    private static Peer Clush(FleetBench bench, int containers) => bench.Timed("docker exec, by clush", new Command(
        "clush", ["-S", "-q", "-R", "exec", "-f", Number(Parallel), "-w", Words(bench, containers, ','), .. bench.DockerExec("%h")]));

    private static Peer Pdsh(FleetBench bench, int containers) => bench.Timed("docker exec, by pdsh", new Command(
        "pdsh", ["-S", "-R", "exec", "-f", Number(Parallel), "-w", Words(bench, containers, ','), .. bench.DockerExec("%h")]));

    private static string Words(FleetBench bench, int containers, char between) => string.Join(between, bench.Ids(containers));

    /// <summary>What sessions hold of memory while they run and nothing is written.</summary>
    private static async Task<string> Growth(FleetBench bench, int[] sizes)
    {
        var table = new StringBuilder()
            .AppendLine("| sessions that run | coordinator MiB | a session KiB | both nodes MiB | a session KiB |")
            .AppendLine("| --- | --- | --- | --- | --- |");
        var (coordinator, nodes) = Now();
        table.AppendLine(string.Create(CultureInfo.InvariantCulture, $"| 0 | {coordinator.ResidentMiB:0.0} | | {nodes.ResidentMiB:0.0} | |"));
        foreach (var size in sizes)
        {
            await using var run = bench.Fleet.Crashcart(
                ["fleet", "exec", "--label", FleetBench.Selector(size), "--parallel", Number(size), .. Held.Split(' ')]).Start();
            await Eventually.Holds(() => HostProcess.Find(Held).Length == size, () => $"{size} tools run; the run says {run.ErrorSoFar}");
            var (withCoordinator, withNodes) = Now();
            table.AppendLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {size} | {withCoordinator.ResidentMiB:0.0} | {PerSession(withCoordinator - coordinator):0} | {withNodes.ResidentMiB:0.0} | {PerSession(withNodes - nodes):0} |"));
            run.Signal(LibC.SIGINT);
            await run.Result();
            await HostProcess.Disappears(Held);

            double PerSession(ProcessUsage grown) => grown.Resident / 1024.0 / size;
        }

        return table.AppendLine().AppendLine($"Resident memory of the fleet's processes after the runs above, while one run of `{Held}` goes on.").ToString();

        (ProcessUsage Coordinator, ProcessUsage Nodes) Now() => (ProcessUsage.Of(bench.CoordinatorPid), ProcessUsage.Of(bench.NodePids));
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);

    /// <summary>Processor time of the fleet's processes while samples of one peer are taken.</summary>
    private sealed class Cost(FleetBench bench)
    {
        private TimeSpan _coordinator;
        private TimeSpan _nodes;
        private int _samples;

        public Peer Of(Peer peer) => peer with
        {
            Sample = async () =>
            {
                var (coordinator, nodes) = (ProcessUsage.Of(bench.CoordinatorPid), ProcessUsage.Of(bench.NodePids));
                var time = await peer.Sample();
                _coordinator += (ProcessUsage.Of(bench.CoordinatorPid) - coordinator).Processor;
                _nodes += (ProcessUsage.Of(bench.NodePids) - nodes).Processor;
                _samples++;
                return time;
            },
        };

        public string PerTarget(int targets) => string.Create(
            CultureInfo.InvariantCulture,
            $"{_coordinator.TotalMilliseconds / _samples / targets:0.0}, {_nodes.TotalMilliseconds / _samples / targets:0.0}");
    }
}
