using System.Globalization;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>What a loop device that lingers is worth, and how soon a killed node knows again what there is.</summary>
internal static class LeaseSuite
{
    public static async Task<string> Run(int rounds, int containers)
    {
        var report = new Report();
        await using var bench = await Bench.Open();
        await Linger(bench, report, rounds);
        await Restart(bench, report, Math.Max(3, rounds / 10), containers);
        report.Note(
            $"Linger: whole commands, `crashcart exec NODE/CONTAINER true` with crashcart.img. Restart: from the start of the new process after `kill -9` of the old one until it has looked over the host, with {containers} containers: "
            + "9 of 10 have a mount that a person holds, 1 of 10 a session with a shared mount; a restart where nothing is held is the peer.");
        return report.ToString();
    }

    private static async Task Linger(Bench bench, Report report, int rounds)
    {
        await using var box = await bench.Docker.RunBusybox("--label", "app=linger");
        await bench.Fleet.Sees(1, "app=linger");
        var exec = bench.Fleet.Crashcart("exec", $"{bench.Node}/{box.Name}", "true");
        var kept = bench.Timed("image attached since the last session", exec) with { Before = () => exec.Output() };
        var free = bench.Timed("image attached anew", exec) with
        {
            Before = async () =>
            {
                await exec.Output();
                await bench.Fleet.Crashcart("cordon", bench.Node).Output();
                await bench.Fleet.Crashcart("uncordon", bench.Node).Output();
                await Eventually.Holds(() => !HostState.LoopDevicesOf(bench.Fleet.Image).Any(), "the image is attached nowhere");
            },
        };
        var all = await Interleaved.Measure(rounds, kept, free);
        report.Add("session of a fleet, its image lingers (`--linger`)", (kept, all[kept]), (free, all[free]), null);
    }

    private static async Task Restart(Bench bench, Report report, int rounds, int containers)
    {
        var empty = new Peer("nothing held", () => Restarted(bench.Fleet));
        var before = await Interleaved.Measure(rounds, empty);

        var sessions = Math.Max(1, containers / 10);
        var boxes = await Task.WhenAll(Enumerable.Range(0, containers).Chunk((containers + 3) / 4).Select(async chunk =>
        {
            var started = new List<Container>();
            foreach (var index in chunk)
                started.Add(await bench.Docker.RunBusybox("--label", index < sessions ? "app=used" : "app=held"));
            return started;
        }));
        await bench.Fleet.Sees(sessions, "app=used");
        await bench.Fleet.Sees(containers - sessions, "app=held");
        await bench.Local("fleet", "mount", "-l", "app=held").Output();
        var full = new Peer("Crashcart", () => Restarted(bench.Fleet)) with { Before = () => UseAll(bench, sessions) };
        var after = await Interleaved.Measure(rounds, full);
        await bench.Fleet.Lists(bench.Local("mounts", "-l", "app=held", "-o", "json"), mounts => mounts.Length == containers - sessions);

        report.Add(string.Create(CultureInfo.InvariantCulture, $"killed node, {containers} containers"), (full, after[full]), (empty, before[empty]), null);
        foreach (var box in boxes.SelectMany(started => started))
            await box.DisposeAsync();
    }

    /// <summary>Sessions run in the containers that are to be used.</summary>
    private static async Task UseAll(Bench bench, int sessions)
    {
        await bench.Fleet.IsWhole();
        _ = bench.Local("fleet", "exec", "--shared", "-l", "app=used", "sleep", "86399").Start();
        await bench.Fleet.Lists(bench.Local("sessions", "-o", "json"), listed => listed.Length == sessions);
        await Eventually.Holds(() => HostProcess.Find("sleep 86399").Length == sessions, "every tool runs");
    }

    private static async Task<TimeSpan> Restarted(FleetHost fleet)
    {
        var daemon = fleet.Nodes[0].Daemon;
        await daemon.Kill();
        var started = TimeProvider.System.GetTimestamp();
        daemon.Start();
        await Eventually.Holds(() => daemon.Log.Contains("Looked over the host", StringComparison.Ordinal), () => $"the node has looked over the host; {daemon.LastWords}");
        return TimeProvider.System.GetElapsedTime(started);
    }
}
