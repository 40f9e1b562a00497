using System.Globalization;
using System.Text.Json;
using Crashcart.Benchmarks;
using Crashcart.Benchmarks.Simulation;

switch (args)
{
    // The processes of one simulation, started by the benchmark itself.
    case ["simulated-nodes", var first, var count]:
        await SimulatedNodes.Serve(Number(first), Number(count));
        return 0;
    case ["simulated-fleet", var nodes, var rounds]:
        Console.WriteLine(JsonSerializer.Serialize(await SimulatedFleet.Measure(Number(nodes), Number(rounds))));
        return 0;
    default:
        return await CommandLine.Run(args);
}

static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);
