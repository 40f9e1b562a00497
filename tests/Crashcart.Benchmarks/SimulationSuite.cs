using System.Globalization;
using System.Text;
using System.Text.Json;
using Crashcart.Benchmarks.Simulation;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>How a selector's way to the nodes, and the start of a run, grow with the number of nodes.</summary>
internal static class SimulationSuite
{
    private static readonly int[] Sizes = [10, 100, 1_000];

    /// <summary>Of a thousand nodes to ten.</summary>
    private const double Bar = 10;

    public static async Task<string> Run(int rounds)
    {
        var results = new List<SimulationResult>();
        foreach (var size in Sizes)
            results.Add(await Measure(size, Math.Max(10, rounds * 100 / (100 + size))));

        var table = new StringBuilder()
            .AppendLine("| nodes | request | p50 ms | p99 ms | messages | KiB on the network | processor ms of the coordinator | a node: µs |")
            .AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var result in results)
        {
            Line(result.Nodes, "selector", result.Routing);
            Line(result.Nodes, "run", result.Run);
        }

        var memory = results.Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Resident >> 20} MiB with {result.Nodes}"));
        var (fewest, most) = (results[0], results[^1]);
        var growth = (most.Resident - fewest.Resident) / 1024.0 / (most.Nodes - fewest.Nodes);
        var ratio = results.Single(result => result.Nodes == 1000).Routing.P50 / results.Single(result => result.Nodes == 10).Routing.P50;
        return table.AppendLine().AppendLine(
            "A coordinator's actors with its remoting, and nodes in another process, each with an actor system, an address and connections of its own; both processes "
            + "share the processors. Selector: one container of ten matches on each node. Run: the same, and a session for each that ends when it begins; no streams.")
            .AppendLine().AppendLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Selector over 1,000 nodes: {ratio:0.0} times the time over 10 (bar: ≤ {Bar} {(ratio <= Bar ? "met" : "**missed**")})."))
            .AppendLine().AppendLine(string.Create(
            CultureInfo.InvariantCulture, $"Resident memory of the coordinator's process: {string.Join(", ", memory)}: {growth:0} KiB a node.")).ToString();

        void Line(int nodes, string request, Cost cost) => table.AppendLine(string.Create(
            CultureInfo.InvariantCulture,
            $"| {nodes} | {request} | {cost.P50:0.0} | {cost.P99:0.0} | {cost.Messages:0} | {cost.Bytes / 1024:0} | {cost.ProcessorMs:0.0} | {1000 * cost.ProcessorMs / nodes:0} |"));
    }

    /// <summary>In processes of their own, alone on their network.</summary>
    private static async Task<SimulationResult> Measure(int nodes, int rounds)
    {
        string[] program = [Environment.ProcessPath!, typeof(SimulationSuite).Assembly.Location, "simulated-fleet", Number(nodes), Number(rounds)];
        var answer = await new Command("unshare", ["--net", "sh", "-c", "ip link set lo up && exec \"$@\"", "-", .. program])
        {
            Patience = TimeSpan.FromMinutes(5),
        }.Output();
        return JsonSerializer.Deserialize<SimulationResult>(answer)!;
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
