using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>Two nodes and two coordinators, all of them up.</summary>
[Collection(OnFleet.Name)]
public sealed class FleetTests(FleetHost fleet) : HostTest
{
    private FleetNode Alpha => fleet.Nodes[0];

    private FleetNode Beta => fleet.Nodes[1];

    [Fact]
    public async Task What_a_tool_would_be_allowed_is_explained_and_nothing_is_run()
    {
        await using var box = await fleet.Nodes[0].Docker.RunScratch("--label", "app=explained", "--cap-drop", "ALL", "--cap-add", "CHOWN");

        var explained = await fleet.Crashcart("exec", "--explain", "--profile", "restricted", $"alpha/{box.Name}", "no-such-tool").Run();

        explained.Succeeded();
        Assert.Equal(["PRIVILEGE", "TOOL", "CONTAINER"], explained.Lines[0].Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(["CAP_CHOWN", "yes", "yes"], Assert.Single(explained.Lines, line => line.StartsWith("CAP_", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.Contains(explained.Lines, line => line.StartsWith("system calls ", StringComparison.Ordinal) && line.EndsWith("filtered", StringComparison.Ordinal));
        var debug = await fleet.Crashcart("fleet", "exec", "--explain", "-l", "app=explained", "gdb").Output();
        Assert.Contains("CAP_SYS_PTRACE", debug, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Either_coordinator_serves()
    {
        await using var box = await Beta.Docker.RunBusybox();
        for (var coordinator = 0; coordinator < 2; coordinator++)
        {
            var nodes = FleetHost.Json(await fleet.Crashcart(coordinator, "nodes", "--output", "json").Run());
            Assert.Equal(["alpha", "beta"], nodes.Select(node => node.GetProperty("name").GetString()));
            Assert.All(nodes, node => Assert.Equal("up", node.GetProperty("state").GetString()));
            Assert.Equal(box.Id[..12], await fleet.Crashcart(coordinator, "exec", $"beta/{box.Name}", "hostname").Output());
        }
    }

    [Fact]
    public async Task Lists_the_containers_that_a_label_selects()
    {
        await using var web = await Alpha.Docker.RunScratch("--label", "app=web", "--label", "tier=front");
        await using var database = await Beta.Docker.RunBusybox("--label", "app=database");
        await fleet.Sees(1, "app=web");
        await fleet.Sees(2, "app in (web,database)");
        await fleet.Sees(1, "app,!tier");
        var listed = FleetHost.Json(await fleet.Crashcart("ps", "-l", "app=web", "-o", "json").Run())[0];
        Assert.Equal("alpha", listed.GetProperty("node").GetString());
        Assert.Equal(web.Name, listed.GetProperty("name").GetString());
        Assert.Equal(web.Id, listed.GetProperty("id").GetString());
        Assert.Contains(database.Name, await fleet.Crashcart("ps", "--label", "app=database").Output(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(124)]
    [InlineData(125)]
    [InlineData(255)]
    public async Task One_target_exits_as_the_tool(int code)
    {
        await using var box = await Alpha.Docker.RunBusybox();
        (await fleet.Crashcart("exec", $"alpha/{box.Name}", "bash", "-c", $"exit {code}").Run()).Exited(code);
    }

    [Fact]
    public async Task One_target_exits_with_128_and_the_signal_127_and_126()
    {
        await using var box = await Alpha.Docker.RunBusybox();
        (await fleet.Crashcart("exec", $"alpha/{box.Name}", "bash", "-c", "kill -SEGV $$").Run()).Exited(139);
        (await fleet.Crashcart("exec", $"alpha/{box.Name}", "no-such-tool").Run()).Refused(127, "no-such-tool");
        (await fleet.Crashcart("exec", $"alpha/{box.Name}", "/etc/passwd").Run()).Refused(126, "/etc/passwd");
    }

    [Fact]
    public async Task One_target_is_found_by_name_and_by_id_prefix()
    {
        await using var box = await Beta.Docker.RunBusybox();
        foreach (var target in (string[])[$"beta/{box.Name}", $"beta/{box.Id}", $"beta/{box.Id[..12]}"])
            Assert.Equal(box.Id[..12], await fleet.Crashcart("exec", target, "hostname").Output());
    }

    [Fact]
    public async Task Target_that_is_not_there_is_refused()
    {
        await using var box = await Beta.Docker.RunBusybox();
        (await fleet.Crashcart("exec", "beta/no-such-container", "true").Run()).Refused(125, "no-such-container", "beta");
        (await fleet.Crashcart("exec", $"gamma/{box.Name}", "true").Run()).Refused(125, "gamma");
        await box.Docker("kill");
        (await fleet.Crashcart("exec", $"beta/{box.Name}", "true").Run()).Refused(125, box.Name);
    }

    [Fact]
    public async Task Bytes_go_through_unchanged_in_both_directions()
    {
        await using var box = await Beta.Docker.RunBusybox();
        var sent = string.Join('\n', Enumerable.Range(0, 300_000));
        var result = await fleet.Crashcart("exec", $"beta/{box.Name}", "cat").Run(sent);
        result.Succeeded();
        Assert.Equal(SHA256.HashData(Encoding.UTF8.GetBytes(sent)), SHA256.HashData(result.OutputBytes));
        var apart = await fleet.Crashcart("exec", $"beta/{box.Name}", "bash", "-c", "echo out; echo err >&2").Run();
        apart.Succeeded();
        Assert.Equal("out\n", apart.Output);
        Assert.Equal("err\n", apart.Error);
    }

    [Fact]
    public async Task Output_is_whole_before_the_exit_status()
    {
        await using var box = await Alpha.Docker.RunBusybox();
        var result = await fleet.Crashcart("exec", $"alpha/{box.Name}", "bash", "-c", "head -c 20000000 /dev/zero; exit 3").Run();
        result.Exited(3);
        Assert.Equal(20_000_000, result.OutputBytes.Length);
    }

    [Fact]
    public async Task Signals_reach_the_tool()
    {
        await using var box = await Alpha.Docker.RunBusybox();
        await using var running = fleet.Crashcart("exec", $"alpha/{box.Name}", "bash", "-c",
            "trap 'echo caught; exit 9' TERM; echo ready; while :; do sleep 0.05; done").Start();
        await running.Says("ready");
        running.Signal(LibC.SIGTERM);
        var result = await running.Result();
        result.Exited(9);
        Assert.Equal("ready\ncaught\n", result.Output);
    }

    [Fact]
    public async Task Terminal_works_through_coordinator_and_node()
    {
        await using var box = await Beta.Docker.RunScratch();
        await using var terminal = await Terminal.Open(fleet.Crashcart("exec", $"beta/{box.Name}"), columns: 91, rows: 23);
        await terminal.Enter("stty size; echo $BASH");
        await terminal.Shows("23 91");
        await terminal.Shows("/dev/crashcart/bin/bash");
        await terminal.Resize(columns: 77, rows: 31);
        await terminal.Enter("sleep 86384");
        await HostProcess.Appears("sleep 86384");
        await terminal.Press("C-c");
        await HostProcess.Disappears("sleep 86384");
        await terminal.Enter("stty size; exit 7");
        await terminal.Shows("31 77");
        Assert.Equal(7, await terminal.Exited());
    }

    [Fact]
    public async Task Captures_packets_in_three_containers_that_have_no_tools()
    {
        await using var first = await Alpha.Docker.RunScratch("--label", "app=capture");
        await using var second = await Alpha.Docker.RunScratch("--label", "app=capture");
        await using var third = await Beta.Docker.RunScratch("--label", "app=capture");
        await fleet.Sees(3, "app=capture");
        var captured = await fleet.Crashcart("fleet", "exec", "--label", "app=capture", "tcpdump", "-c", "3", "-ni", "any").Run();
        captured.Succeeded();
        foreach (var name in (string[])[$"alpha/{first.Name}", $"alpha/{second.Name}", $"beta/{third.Name}"])
            Assert.Equal(3, captured.Lines.Count(line => line.StartsWith($"{name} ", StringComparison.Ordinal) && line.Contains("127.0.0.1", StringComparison.Ordinal)));
        Assert.Equal(9, captured.Lines.Length);
    }

    [Fact]
    public async Task Exits_1_when_some_tool_did_not_end_with_0()
    {
        await using var first = await Alpha.Docker.RunBusybox("--label", "app=mixed");
        await using var second = await Beta.Docker.RunScratch("--label", "app=mixed");
        await fleet.Sees(2, "app=mixed");
        var result = await fleet.Crashcart("fleet", "exec", "-l", "app=mixed", "bash", "-c", "[ -e /bin/busybox ] && exit 5; exit 0").Run();
        result.Exited(1);
        Assert.Contains($"alpha/{first.Name}", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain($"beta/{second.Name}", result.Error, StringComparison.Ordinal);
        (await fleet.Crashcart("fleet", "exec", "-l", "app=mixed", "no-such-tool").Run()).Exited(1);
    }

    [Fact]
    public async Task Exits_3_when_nothing_matches() =>
        (await fleet.Crashcart("fleet", "exec", "--label", "app=nothing-has-this", "true").Run()).Refused(3, "no running container matches");

    [Theory]
    [InlineData("app in (a", "app in (a")]
    [InlineData("app=web tier=db", "app=web tier=db")]
    [InlineData("=web", "=web")]
    [InlineData("app=web,,", "app=web,,")]
    public async Task Malformed_selector_is_refused_with_the_place(string selector, string quoted)
    {
        var result = await fleet.Crashcart("fleet", "exec", "--label", selector, "true").Run();
        result.Exited(125);
        Assert.Contains(quoted, result.Error, StringComparison.Ordinal);
        Assert.Matches(@"character \d+|column \d+|position \d+|\^", result.Error);
        (await fleet.Crashcart("ps", "--label", selector).Run()).Exited(125);
    }

    [Fact]
    public async Task Parallel_bounds_the_tools_that_run_at_one_time()
    {
        var boxes = new List<Container>();
        for (var index = 0; index < 6; index++)
            boxes.Add(await fleet.Nodes[index % 2].Docker.RunBusybox("--label", "app=parallel"));
        await fleet.Sees(6, "app=parallel");
        var result = await fleet.Crashcart("fleet", "exec", "-l", "app=parallel", "--parallel", "2", "bash", "-c",
            "echo $(date +%s%N) 1; sleep 0.3; echo $(date +%s%N) -1").Run();
        result.Succeeded();
        var steps = result.Lines.Select(line => line.Split('|')[1].Trim().Split(' ')).OrderBy(step => long.Parse(step[0], CultureInfo.InvariantCulture));
        int running = 0, most = 0;
        foreach (var step in steps)
            most = Math.Max(most, running += int.Parse(step[1], CultureInfo.InvariantCulture));
        Assert.Equal(2, most);
        foreach (var box in boxes)
            await box.DisposeAsync();
    }

    [Fact]
    public async Task Timeout_ends_the_tools_and_exits_124()
    {
        await using var first = await Alpha.Docker.RunBusybox("--label", "app=slow");
        await using var second = await Beta.Docker.RunBusybox("--label", "app=slow");
        await fleet.Sees(2, "app=slow");
        (await fleet.Crashcart("fleet", "exec", "-l", "app=slow", "--timeout", "1s", "sleep", "86383").Run()).Exited(124);
        await HostProcess.Disappears("sleep 86383");
    }

    [Fact]
    public async Task Control_C_ends_every_session_everywhere()
    {
        await using var first = await Alpha.Docker.RunBusybox("--label", "app=long");
        await using var second = await Alpha.Docker.RunScratch("--label", "app=long");
        await using var third = await Beta.Docker.RunScratch("--label", "app=long");
        await fleet.Sees(3, "app=long");
        await using var terminal = await Terminal.Open(fleet.Crashcart("fleet", "exec", "-l", "app=long", "sleep", "86382"));
        await Eventually.Holds(() => HostProcess.Find("sleep 86382").Length == 3, "three tools run");
        await terminal.Press("C-c");
        Assert.NotEqual(0, await terminal.Exited());
        await HostProcess.Disappears("sleep 86382");
    }

    [Fact]
    public async Task Tool_that_ignores_the_interrupt_is_ended_by_the_second()
    {
        await using var box = await Beta.Docker.RunBusybox("--label", "app=stubborn");
        await fleet.Sees(1, "app=stubborn");
        await using var terminal = await Terminal.Open(fleet.Crashcart("fleet", "exec", "-l", "app=stubborn", "bash", "-c",
            "trap '' INT TERM HUP; echo ready; while :; do sleep 0.05; done"));
        await terminal.Shows("ready");
        await terminal.Press("C-c");
        await terminal.Press("C-c");
        Assert.NotEqual(0, await terminal.Exited());
    }

    [Fact]
    public async Task Container_that_exits_during_a_session_ends_it()
    {
        await using var box = await Alpha.Docker.RunScratch();
        await using var running = fleet.Crashcart("exec", $"alpha/{box.Name}", "bash", "-c", "echo ready; sleep 86381").Start();
        await running.Says("ready");
        await box.Docker("kill");
        var result = await running.Result();
        result.Exited(137);
        Assert.Equal("crashcart: The session was ended: Its container exited.\n", result.Error);
    }

    [Fact]
    public async Task Killing_the_containers_frees_the_loop_device_within_a_second()
    {
        await using var first = await Alpha.Docker.RunScratch("--label", "app=killed");
        await using var second = await Beta.Docker.RunScratch("--label", "app=killed");
        await fleet.Sees(2, "app=killed");
        await using var running = fleet.Crashcart("fleet", "exec", "-l", "app=killed", "sleep", "86380").Start();
        await Eventually.Holds(() => HostProcess.Find("sleep 86380").Length == 2, "two tools run");
        Assert.Single(HostState.LoopDevicesOf(fleet.Image));
        await Task.WhenAll(first.Docker("kill"), second.Docker("kill"));
        await Eventually.Holds(() => !HostState.LoopDevicesOf(fleet.Image).Any(), "the loop device is free", TimeSpan.FromSeconds(1));
        (await running.Result()).Exited(1);
    }
}
