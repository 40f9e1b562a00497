using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Runs that go on without whoever started them, and what is kept of them.</summary>
public sealed class DetachedRunTests(KeepingHost fleet) : HostTest, IClassFixture<KeepingHost>
{
    public override async Task DisposeAsync()
    {
        await fleet.Restore();
        await base.DisposeAsync();
    }

    [Fact]
    public async Task A_run_outlives_its_client_and_its_coordinator_and_another_serves_what_came_of_it()
    {
        await using var pair = await Pair.Start(fleet, "outlives");
        var id = await Begin("-l", "app=outlives", "bash", "-c", "echo out; echo err >&2; until [ -e /go ]; do sleep 0.05; done; echo went; exit 3");
        await Eventually.Holds(async () => (await fleet.Crashcart("runs", "logs", id).Run()).Lines.Length == 2, "both have begun");
        Assert.Equal(("running", 2, 2), await Listed(0, id));
        await fleet.Coordinators[0].Kill();

        await using var following = fleet.Crashcart(1, "runs", "logs", "-f", id["run-".Length..]).Start();
        await following.Says("| out");
        pair.Go();
        var followed = await following.Result();
        followed.Exited(1);
        Assert.Equal(["out", "out", "went", "went"], followed.Lines.Select(line => line.Split(' ')[^1]).Order(StringComparer.Ordinal));
        Assert.Equal(2, followed.Error.Split('\n').Count(line => line.EndsWith(" err", StringComparison.Ordinal)));
        (await fleet.Crashcart(1, "runs", "wait", id).Run()).Exited(1);

        await using var directory = TemporaryDirectory.Create();
        (await fleet.Crashcart(1, "runs", "logs", id, "--output-dir", directory.Path).Run()).Exited(1);
        Assert.Equal("out\nwent\n", await File.ReadAllTextAsync(directory[$"beta/{pair.OnBeta.Name}.stdout"]));
        Assert.Equal("3\n", await File.ReadAllTextAsync(directory[$"beta/{pair.OnBeta.Name}.exit"]));
    }

    [Fact]
    public async Task A_node_that_is_killed_is_told_as_that_and_the_rest_is_killed_by_its_id_and_forgotten()
    {
        await using var pair = await Pair.Start(fleet, "killed");
        var id = await Begin("-l", "app=killed", "bash", "-c", "echo begun; exec sleep 86366");
        await Eventually.Holds(() => HostProcess.Find("sleep 86366").Length == 2, "both have begun");
        await using var following = fleet.Crashcart("runs", "logs", "--follow", "--json", id).Start();
        await Eventually.Holds(() => following.OutputSoFar.Split("begun").Length == 3, "both are read");
        await fleet.Nodes[0].Daemon.Kill();
        fleet.Nodes[0].Daemon.Start();
        await fleet.IsWhole();
        Assert.Single(HostProcess.Find("sleep 86366"));
        (await fleet.Crashcart("runs", "rm", id).Run()).Refused(125, "goes on", "crashcart kill");

        Assert.Contains($"sleep in beta/", (await fleet.Crashcart("kill", id[..^2]).Output()).Replace("bash", "sleep", StringComparison.Ordinal), StringComparison.Ordinal);
        var waited = await fleet.Crashcart("runs", "wait", id).Run();
        waited.Exited(125);
        Assert.Contains($"alpha/{pair.OnAlpha.Name}", waited.Error, StringComparison.Ordinal);
        Assert.Contains("The node stopped before the tool ended", waited.Error, StringComparison.Ordinal);
        Assert.Contains("It was killed by user 0.", waited.Error, StringComparison.Ordinal);
        (await following.Result()).Exited(125);
        Assert.Equal(id, await fleet.Crashcart("runs", "rm", id).Output());
        (await fleet.Crashcart("runs", "logs", id).Run()).Refused(3, "no run");
    }

    [Fact]
    public async Task Output_stays_within_the_node_s_budget()
    {
        await using var box = await fleet.Nodes[0].Docker.RunScratch();
        var target = $"alpha/{box.Name}";
        var first = await fleet.Crashcart("exec", "-d", target, "head", "-c", "2000000", "/dev/zero").Output();
        (await fleet.Crashcart("runs", "wait", first).Run()).Succeeded();
        var second = await fleet.Crashcart("exec", "--detach", target, "head", "-c", "2000000", "/dev/zero").Output();
        (await fleet.Crashcart("runs", "wait", second).Run()).Succeeded();
        Assert.Equal(2000000, (await fleet.Crashcart("runs", "logs", "--raw", second).Run()).OutputBytes.Length);
        (await fleet.Crashcart("runs", "logs", first).Run()).Refused(3, "no run");

        var third = await fleet.Crashcart("exec", "-d", target, "bash", "-c", "head -c 9000000 /dev/zero; sleep 86365").Output();
        var logs = await fleet.Crashcart("runs", "logs", "-f", "--raw", third).Run();
        logs.Exited(125);
        Assert.InRange(logs.OutputBytes.Length, 2_900_000, 3 << 20);
        Assert.Contains("run-output-budget", logs.Error, StringComparison.Ordinal);
        await HostProcess.Disappears("sleep 86365");
        (await fleet.Crashcart("fleet", "exec", "-d", "-l", "app=nobody", "true").Run()).Refused(3, "matches");
    }

    private async Task<string> Begin(params string[] words)
    {
        var begun = await fleet.Crashcart(["fleet", "exec", "--detach", .. words]).Run();
        begun.Succeeded();
        Assert.Matches("^run-[0-9a-f]{10}\n$", begun.Output);
        return begun.Output.TrimEnd('\n');
    }

    private async Task<(string? State, int Containers, int Running)> Listed(int coordinator, string id)
    {
        var run = FleetHost.Json(await fleet.Crashcart(coordinator, "runs", "--output", "json").Run()).Single(run => run.GetProperty("run").GetString() == id);
        return (run.GetProperty("state").GetString(), run.GetProperty("containers").GetInt32(), run.GetProperty("running").GetInt32());
    }

    /// <summary>A container on each node, with busybox and the label.</summary>
    private sealed class Pair(Container onAlpha, Container onBeta) : IAsyncDisposable
    {
        public Container OnAlpha => onAlpha;

        public Container OnBeta => onBeta;

        public static async Task<Pair> Start(FleetHost fleet, string label)
        {
            var pair = new Pair(
                await fleet.Nodes[0].Docker.RunBusybox("--label", $"app={label}"), await fleet.Nodes[1].Docker.RunBusybox("--label", $"app={label}"));
            await fleet.Sees(2, $"app={label}");
            return pair;
        }

        /// <summary>Gives the tools what they wait for.</summary>
        public void Go()
        {
            foreach (var container in (Container[])[onAlpha, onBeta])
                File.WriteAllText($"{container.Root}/go", "");
        }

        public async ValueTask DisposeAsync()
        {
            await onAlpha.DisposeAsync();
            await onBeta.DisposeAsync();
        }
    }
}

/// <summary>Nodes that keep 3 MiB of output.</summary>
public sealed class KeepingHost() : FleetHost(["alpha", "beta"], coordinators: 2, nodeOptions: ["--run-output-budget", "3MiB"]);
