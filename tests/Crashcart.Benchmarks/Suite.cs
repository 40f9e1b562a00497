using System.Globalization;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>The comparisons, on one Docker daemon and a fleet of one node.</summary>
internal static class Suite
{
    /// <summary>Docker's, and ours, in the last comparison.</summary>
    private const int Parallel = 10;

    public static async Task Run(Report report, int rounds, int containers)
    {
        await using var bench = await Bench.Open();
        await Local(bench, report, rounds);
        await OneTarget(bench, report, rounds);
        await ManyTargets(bench, report, Math.Max(3, rounds / 10), containers);
        report.Note($"Whole processes, from before their start to after their end, on {Environment.ProcessorCount} processors, kernel {File.ReadAllText("/proc/sys/kernel/osrelease").Trim()}; "
            + "samples of all peers of a comparison are taken in turn. The tool is `true`. "
            + "\"Small image\" holds one static busybox, as EROFS for Crashcart and as ext3 and EROFS for the original's system calls; \"toolbox\" is crashcart.img.");
    }

    private static async Task Local(Bench bench, Report report, int rounds)
    {
        await using var box = await bench.Docker.RunBusybox();
        await using var holder = await bench.Docker.RunBusybox();
        string[] tool = ["/dev/crashcart/bin/true"];
        await using var attached = await SmallImage.Make("attached");

        var cold = bench.Timed("Crashcart, small image", bench.Local(["exec", "-i", bench.Erofs, box.PidText, .. tool])) with { Before = bench.NothingAttached };
        var warm = bench.Timed("Crashcart, small image attached", bench.Local(["exec", "-i", attached.Path, box.PidText, .. tool]));
        var toolbox = bench.Timed("Crashcart, toolbox", bench.Local(["exec", box.PidText, .. tool]));
        var originalExt = bench.Original("original's system calls, ext3", box, "ext3", bench.Ext3, tool);
        var originalErofs = bench.Original("original's system calls, EROFS", box, "erofs", bench.Erofs, tool);
        var nsenter = bench.Timed("nsenter -a", new Command("nsenter", "-a", "-t", box.PidText, "/bin/true"));
        var docker = bench.Timed("docker exec", bench.Docker.Docker("exec", box.Id, "/bin/true"));

        (await bench.Local("mount", "-i", attached.Path, holder.PidText).Run()).Succeeded();
        var all = await Interleaved.Measure(rounds, cold, warm, toolbox, originalExt, originalErofs, nsenter, docker);
        (await bench.Local("unmount", holder.PidText).Run()).Succeeded();

        report.Add("local exec, image not attached", Of(cold), Of(originalExt), 1.0);
        report.Add("the same, same file system", Of(cold), Of(originalErofs), null);
        report.Add("local exec, image not attached", Of(cold), Of(nsenter), 2.5);
        report.Add("local exec, image not attached", Of(cold), Of(docker), 0.12);
        report.Add("local exec, image attached", Of(warm), Of(nsenter), 2.5);
        report.Add("local exec, image attached", Of(warm), Of(docker), 0.12);
        report.Add("local exec, toolbox not attached", Of(toolbox), Of(docker), null);

        (Peer, Samples) Of(Peer peer) => (peer, all[peer]);
    }

    private static async Task OneTarget(Bench bench, Report report, int rounds)
    {
        await using var box = await bench.Docker.RunBusybox("--label", "app=one");
        await bench.Fleet.Sees(1, "app=one");
        var fleet = bench.Timed("Crashcart", bench.Fleet.Crashcart("exec", $"{bench.Node}/{box.Name}", "true"));
        var docker = bench.Timed("docker exec", bench.Docker.Docker("exec", box.Id, "/bin/true"));
        var all = await Interleaved.Measure(rounds, fleet, docker);
        report.Add("through coordinator and node, one target", (fleet, all[fleet]), (docker, all[docker]), 0.30);
    }

    private static async Task ManyTargets(Bench bench, Report report, int rounds, int count)
    {
        var boxes = new List<Container>();
        for (var index = 0; index < count; index++)
            boxes.Add(await bench.Docker.RunBusybox("--label", "app=many"));
        await bench.Fleet.Sees(count, "app=many");

        var parallel = Parallel.ToString(CultureInfo.InvariantCulture);
        var fleet = bench.Timed("Crashcart", bench.Fleet.Crashcart("fleet", "exec", "--label", "app=many", "--parallel", parallel, "true"));
        var dockerExec = bench.Docker.Docker("exec");
        var ids = string.Join('\n', boxes.Select(box => box.Id));
        var docker = bench.Timed($"docker exec, {count} times", new Command(
            "bash", ["-c", "printf '%s\\n' \"$0\" | xargs -P \"$1\" -I ID \"${@:2}\" ID /bin/true", ids, parallel, dockerExec.Program, .. dockerExec.Arguments])
        {
            Environment = dockerExec.Environment,
        });
        var all = await Interleaved.Measure(rounds, fleet, docker);
        report.Add($"{count} containers on one node, {Parallel} at a time", (fleet, all[fleet]), (docker, all[docker]), 0.10);
        foreach (var box in boxes)
            await box.DisposeAsync();
    }
}
