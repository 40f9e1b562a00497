using System.Globalization;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <summary>Much output of one session: how fast it comes, whether it is what the tool wrote, and what a client that does not read costs.</summary>
internal static class StreamSuite
{
    private const long Exact = 4L << 30;
    private const long Timed = 512L << 20;

    /// <summary>For how long nobody reads.</summary>
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(60);

    public static async Task<string> Run(int rounds)
    {
        var report = new Report();
        await using var bench = await Bench.Open();
        await using var box = await bench.Docker.RunBusybox("--label", "app=stream");
        await bench.Fleet.Sees(1, "app=stream");
        await Speed(bench, box, report, Math.Max(3, rounds / 10));
        report.Note($"Whole commands that write {Timed >> 20} MiB of zeros to /dev/null: a ratio of 0.83 is 1.2 times the peer's bytes a second, 1.11 is 0.9 times.");
        report.Note(await Sum(bench, box));
        report.Note(await Stalled(bench, box));
        return report.ToString();
    }

    private static async Task Speed(Bench bench, Container box, Report report, int rounds)
    {
        // Of the same writes, whoever's program it is.
        string[] tool = ["dd", "if=/dev/zero", "bs=65536", $"count={Number(Timed / 65536)}"];
        var fleet = bench.Timed("Crashcart", bench.Fleet.Crashcart(["exec", $"{bench.Node}/{box.Name}", .. tool]));
        var local = bench.Timed("Crashcart", bench.Local(["exec", box.PidText, .. tool]));
        var docker = bench.Timed("docker exec", bench.Docker.Docker(["exec", box.Id, .. tool]));
        var nsenter = bench.Timed("nsenter -a", new Command("nsenter", ["-a", "-t", box.PidText, .. tool]));
        var all = await Interleaved.Measure(rounds, fleet, docker, local, nsenter);
        report.Add("output of one session through node and coordinator", (fleet, all[fleet]), (docker, all[docker]), 1 / 1.2);
        report.Add("output of a local exec", (local, all[local]), (nsenter, all[nsenter]), 1 / 0.9);
    }

    /// <summary>The tool says on stderr what the sum of its output is.</summary>
    private static async Task<string> Sum(Bench bench, Container box)
    {
        var exec = bench.Fleet.Crashcart(
            "exec", $"{bench.Node}/{box.Name}", "bash", "-c", $"head -c {Number(Exact)} /dev/urandom | tee >(sha256sum >&2)");
        var summed = await new Command("bash", ["-c", "\"$@\" | sha256sum", "-", exec.Program, .. exec.Arguments])
        {
            Environment = exec.Environment,
            Patience = TimeSpan.FromMinutes(5),
        }.Run();
        summed.Succeeded();
        if (summed.Output != summed.Error)
            throw new InvalidOperationException($"The tool wrote {summed.Error.Trim()}, and {summed.Output.Trim()} arrived.");
        return $"{Exact >> 30} GiB of /dev/urandom through node and coordinator have the SHA-256 that the tool computed: {summed.Output.Split(' ')[0]}.";
    }

    /// <summary>The most that each process has, in MiB, above what it had with a session that says nothing.</summary>
    private static async Task<string> Stalled(Bench bench, Container box)
    {
        var idle = bench.Fleet.Crashcart("exec", $"{bench.Node}/{box.Name}", "sleep", "86397");
        int idleClient;
        await using (var running = idle.Start())
        {
            await HostProcess.Appears("sleep 86397");
            idleClient = Resident(running.Pid);
        }
        var before = Daemons(bench).ToDictionary(daemon => daemon.Name, daemon => Resident(daemon.Pid));

        var flood = bench.Fleet.Crashcart("exec", $"{bench.Node}/{box.Name}", "cat", "/dev/zero");
        await using var unread = new Command("bash", ["-c", "\"$@\" | sleep \"$0\"", Number((long)Stall.TotalSeconds), flood.Program, .. flood.Arguments])
        {
            Environment = flood.Environment,
        }.Start();
        var client = await HostProcess.Appears($"{flood.Program} {string.Join(' ', flood.Arguments)}");
        var most = new Dictionary<string, int> { ["crashcart"] = 0 };
        while (!unread.HasExited)
        {
            if (HostProcess.Exists(client))
                most["crashcart"] = Math.Max(most["crashcart"], Resident(client) - idleClient);
            foreach (var (name, pid) in Daemons(bench))
                most[name] = Math.Max(most.GetValueOrDefault(name), Resident(pid) - before[name]);
            await Task.Delay(TimeSpan.FromMilliseconds(200));
        }
        return string.Create(CultureInfo.InvariantCulture, $"Nobody reads for {Stall.TotalSeconds:0} s what a tool writes without end; ")
            + $"each process has at most so much more memory than with a silent session: {string.Join(", ", most.Select(one => $"{one.Key} {one.Value >> 10} MiB"))} (bar: 32).";
    }

    private static IEnumerable<(string Name, int Pid)> Daemons(Bench bench) =>
        [("crashcart-coordinator", bench.Fleet.Coordinators[0].Pid), ("crashcart-node", bench.Fleet.Nodes[0].Daemon.Pid)];

    /// <summary>VmRSS in KiB, proc_pid_status(5); 0 when the process is gone.</summary>
    private static int Resident(int pid)
    {
        try
        {
            var line = File.ReadLines($"/proc/{pid}/status").FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return line is null ? 0 : int.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
