using System.Globalization;
using System.Text;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>One recipe as each of the file systems: how large it is, how long it takes to build, how soon a shell of it runs.</summary>
internal static class ImageSuite
{
    /// <summary>The first is what the others are compared with.</summary>
    private static readonly string[] FileSystems = ["erofs", "ext4", "squashfs"];

    /// <returns>A Markdown table, one file system a line.</returns>
    public static async Task<string> Run(int rounds, string recipe)
    {
        await using var scratch = TemporaryDirectory.Create();
        await using var bench = await ImageBench.Open(scratch);

        Peer[] builds = [.. FileSystems.Select(fileSystem => bench.Build(recipe, fileSystem))];
        var built = await Interleaved.Measure(Math.Max(2, rounds / 20), builds);

        await using var box = await bench.Docker.RunBusybox();
        var holders = new List<Container>();
        foreach (var fileSystem in FileSystems)
        {
            File.Copy(bench.Image(fileSystem), bench.Image(Held(fileSystem)));
            holders.Add(await bench.Docker.RunBusybox());
            await bench.Hold(Held(fileSystem), holders[^1]);
        }

        Peer[] cold = [.. FileSystems.Select(fileSystem => bench.Shell(fileSystem, box) with { Before = () => bench.Evict(fileSystem) })];
        Peer[] warm = [.. FileSystems.Select(fileSystem => bench.Shell(Held(fileSystem), box))];
        var started = await Interleaved.Measure(rounds, [.. cold, .. warm]);
        foreach (var holder in holders)
            await holder.DisposeAsync();

        var sizes = FileSystems.Select(fileSystem => new FileInfo(bench.Image(fileSystem)).Length / 1e6).ToList();
        return Table(recipe, sizes, Of(built, builds), Of(started, cold), Of(started, warm));
    }

    private static string Held(string fileSystem) => fileSystem + "-held";

    private static List<Samples> Of(IReadOnlyDictionary<Peer, Samples> all, Peer[] peers) => [.. peers.Select(peer => all[peer])];

    private static string Table(string recipe, List<double> sizes, List<Samples> built, List<Samples> cold, List<Samples> warm)
    {
        var table = new StringBuilder()
            .AppendLine(CultureInfo.InvariantCulture, $"| {recipe} as | MB | ratio | build, median (p90) s | ratio | cold start, median (p90) ms | ratio | warm start, median (p90) ms | ratio | n (builds) |")
            .AppendLine("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
        for (var row = 0; row < FileSystems.Length; row++)
        {
            table.AppendLine(CultureInfo.InvariantCulture,
                $"| {FileSystems[row]} | {sizes[row]:0.0} | {sizes[row] / sizes[0]:0.00} | {Times(built, row, 1000)} | {Times(cold, row, 1)} | {Times(warm, row, 1)} | {cold[row].Count} ({built[row].Count}) |");
        }

        return table.AppendLine().AppendLine(
            "Whole processes. Build: `crashcart image build` with every package in its cache. Start: `crashcart exec PID -- bash -c true` in a "
            + "container; cold: the image is attached to no loop device and its file is not in the page cache (a disk below may still have it in a "
            + "cache of its own); warm: a mount in another container holds it attached. Ratios are to the first line; "
            + "samples of all file systems are taken in turn, those of cold and warm starts too.").ToString();
    }

    private static string Times(List<Samples> all, int row, double unit) => string.Create(CultureInfo.InvariantCulture,
        $"{all[row].Median / unit:0.0} ({all[row].Quantile(0.9) / unit:0.0}) | {all[row].Median / all[0].Median:0.00}");
}
