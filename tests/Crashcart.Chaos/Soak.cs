using System.Globalization;
using Crashcart.Chaos.Fleet;
using Crashcart.Chaos.State;

namespace Crashcart.Chaos;

/// <summary>Many cycles of attach, exec and release with nothing broken: does anything grow?</summary>
internal static class Soak
{
    private const int Samples = 10;

    public static async Task<int> Run(int cycles, CancellationToken end)
    {
        await using var fleet = await ChaosFleet.Start();
        var every = Math.Max(1, cycles / Samples);
        var series = new List<SoakSample>();
        // Code is compiled and pools are filled in the first cycles.
        for (var cycle = 0; cycle < every; cycle++)
            await Cycle(fleet, cycle);

        await Sample(0);
        for (var cycle = 1; cycle <= cycles && !end.IsCancellationRequested; cycle++)
        {
            await Cycle(fleet, cycle);
            if (cycle % every == 0)
                await Sample(cycle);
        }

        var grown = SoakVerdict.Grown(series);
        Console.WriteLine(grown.Count == 0 ? "Nothing grows." : $"GROWS: {string.Join("; ", grown)}");
        return grown.Count == 0 ? 0 : 1;

        async Task Sample(int cycle)
        {
            series.Add(await SoakSample.Take(fleet));
            if (series.Count == 1)
                Console.WriteLine($"| cycles | {string.Join(" | ", series[0].Values.Keys)} |\n| --- |{string.Concat(Enumerable.Repeat(" ---: |", series[0].Values.Count))}");
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {cycle} | {string.Join(" | ", series[^1].Values.Values)} |"));
        }
    }

    /// <summary>One tool on this host without a daemon, and the next through coordinator and node; every fifth in a shared mount.</summary>
    private static async Task Cycle(ChaosFleet fleet, int cycle)
    {
        var box = fleet.Boxes[cycle / 2 % fleet.Boxes.Count];
        string[] shared = cycle % 10 < 2 ? ["--shared"] : [];
        var target = cycle % 2 == 0 ? box.PidText : box.NodeAndName;
        (await fleet.Undisturbed(["exec", .. shared, target, "--", "busybox", "true"]).Run()).Succeeded();
    }
}
