using System.Diagnostics;
using System.Globalization;

namespace Crashcart.Benchmarks.Simulation;

/// <param name="Few">A selector of the same few containers, however many nodes there are.</param>
/// <param name="Each">A selector of a container of each node.</param>
/// <param name="Run">The start of a session in each of those.</param>
/// <param name="Resident">Bytes of memory that the coordinator has after all of it.</param>
internal sealed record SimulationResult(int Nodes, Cost Few, Cost Each, Cost Run, long Resident);

/// <summary>What one request costs.</summary>
/// <param name="Bytes">On the network, acknowledgements and headers too.</param>
/// <param name="ProcessorMs">Of the coordinator.</param>
internal sealed record Cost(double P50, double P99, double Messages, double Bytes, double ProcessorMs)
{
    /// <param name="nodes">Counts messages.</param>
    public static async Task<Cost> Of(int rounds, IReadOnlyList<Process> nodes, Func<Task> request)
    {
        // The first ones compile what the others run.
        for (var round = 0; round < rounds; round++)
            await request();

        var times = new List<TimeSpan>();
        var (bytes, messages, processor) = (CountBytes(), await CountMessages(nodes), ProcessUsage.Of(Environment.ProcessId).Processor);
        for (var round = 0; round < rounds; round++)
        {
            var started = TimeProvider.System.GetTimestamp();
            await request();
            times.Add(TimeProvider.System.GetElapsedTime(started));
        }

        var samples = new Samples(times);
        return new Cost(
            samples.Median,
            samples.Quantile(0.99),
            (await CountMessages(nodes) - messages) / (double)rounds,
            (CountBytes() - bytes) / (double)rounds,
            (ProcessUsage.Of(Environment.ProcessId).Processor - processor).TotalMilliseconds / rounds);
    }

    /// <summary>What loopback has carried, proc_pid_net(5).</summary>
    private static long CountBytes() => long.Parse(
        File.ReadLines("/proc/self/net/dev").Single(line => line.TrimStart().StartsWith("lo:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture);

    private static async Task<long> CountMessages(IEnumerable<Process> nodes)
    {
        long messages = 0;
        foreach (var process in nodes)
        {
            await process.StandardInput.WriteLineAsync();
            await process.StandardInput.FlushAsync();
            messages += long.Parse((await process.StandardOutput.ReadLineAsync())!, CultureInfo.InvariantCulture);
        }

        return messages;
    }
}
