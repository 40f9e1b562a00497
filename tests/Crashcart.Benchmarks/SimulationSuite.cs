using System.Globalization;
using System.Text;
using System.Text.Json;
using Crashcart.Benchmarks.Simulation;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>How a selector's way to the nodes, and the start of a run, grow with the number of nodes.</summary>
internal static class SimulationSuite
{
    private static readonly int[] Sizes = [SimulatedNode.FewNodes, 100, 1_000];

    /// <summary>Of a thousand nodes to ten.</summary>
    private const double Bar = 10;

    /// <param name="most">Nodes of a last fleet; 0: none.</param>
    public static async Task<string> Run(int rounds, int most)
    {
        var results = new List<SimulationResult>();
        foreach (var size in most > 0 ? Sizes.Append(most) : Sizes)
            results.Add(await Measure(size, Math.Max(10, rounds * 100 / (100 + size))));

        var table = new StringBuilder()
            .AppendLine("| nodes | request | p50 ms | p99 ms | messages | KiB on the network | processor ms of the coordinator | a node: µs |")
            .AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- |");
        foreach (var result in results)
        {
            Line(result.Nodes, "selector, ten match", result.Few);
            Line(result.Nodes, "selector, one of each node matches", result.Each);
            Line(result.Nodes, "run, one of each node", result.Run);
        }

        var memory = results.Select(result => string.Create(CultureInfo.InvariantCulture, $"{result.Resident >> 20} MiB with {result.Nodes}"));
        var (fewest, largest) = (results[0], results[^1]);
        var growth = (largest.Resident - fewest.Resident) / 1024.0 / (largest.Nodes - fewest.Nodes);
        var ratio = Of(1_000).Few.P50 / Of(10).Few.P50;
        return table.AppendLine().AppendLine(
            "A coordinator's actors with its remoting, and nodes in other processes, each with an actor system, an address and connections of its own; all "
            + "share the processors. Each node has ten containers. Of a selector the coordinator asks the nodes that may match, as they have told. "
            + "Run: a session for each container, which ends when it begins; no streams.")
            .AppendLine().AppendLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Selector over 1,000 nodes, of which 10 match: {ratio:0.0} times the time over 10 (bar: ≤ {Bar} {(ratio <= Bar ? "met" : "**missed**")}); "
            + $"where all match, and there is a hundred times as much to be told: {Of(1_000).Each.P50 / Of(10).Each.P50:0} times."))
            .AppendLine().AppendLine(string.Create(
            CultureInfo.InvariantCulture, $"Resident memory of the coordinator's process: {string.Join(", ", memory)}: {growth:0} KiB a node.")).ToString();

        SimulationResult Of(int nodes) => results.First(result => result.Nodes == nodes);

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
            Patience = TimeSpan.FromMinutes(20),
        }.Output();
        return JsonSerializer.Deserialize<SimulationResult>(answer)!;
    }

    private static string Number(int number) => number.ToString(CultureInfo.InvariantCulture);
}
