using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Crashcart.EndToEnd.Tests.Harness;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests;

/// <summary>How a run goes through its containers, and the forms of what comes out.</summary>
[Collection(OnFleet.Name)]
public sealed class FleetRunTests(FleetHost fleet) : HostTest
{
    private FleetNode Alpha => fleet.Nodes[0];

    private FleetNode Beta => fleet.Nodes[1];

    [Fact]
    public async Task Ten_mebibytes_of_each_of_a_hundred_containers_arrive_in_files_byte_for_byte()
    {
        await using var boxes = await Boxes("app=files", 100);
        await using var directory = TemporaryDirectory.Create();
        var run = await fleet.Crashcart("fleet", "exec", "-l", "app=files", "--output-dir", directory["out"], "bash", "-c",
            "{ dd if=/dev/urandom bs=1M count=10 status=none | tee /proc/self/fd/3 | sha256sum >&2; } 3>&1; exit 3").Run();
        run.Exited(1);
        Assert.Equal("", run.Output);
        var files = Directory.GetFiles(directory["out"], "*.stdout", SearchOption.AllDirectories);
        Assert.Equal(100, files.Length);
        foreach (var file in files)
        {
            await using var stdout = File.OpenRead(file);
            var sum = Convert.ToHexStringLower(await SHA256.HashDataAsync(stdout));
            Assert.Equal($"{sum}  -\n", await File.ReadAllTextAsync(Path.ChangeExtension(file, "stderr")));
            Assert.Equal("3\n", await File.ReadAllTextAsync(Path.ChangeExtension(file, "exit")));
        }

        var summary = JsonDocument.Parse(await File.ReadAllTextAsync(directory["out/run.json"])).RootElement;
        Assert.Equal(100, summary.GetProperty("targets").EnumerateArray().Count(target => target.GetProperty("stdout_bytes").GetInt64() == 10 << 20));
        Assert.Empty(Directory.GetFiles(directory["out"], "*.partial", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Equal_outputs_are_shown_once_and_others_as_differences()
    {
        await using var boxes = await Boxes("app=group", 3);
        await using var other = await Beta.Docker.RunScratch("--label", "app=group");
        await fleet.Sees(4, "app=group");
        string[] command = ["fleet", "exec", "-l", "app=group", "bash", "-c", "echo one; [ -e /bin/busybox ] && echo two || echo 2"];
        var grouped = await fleet.Crashcart([.. command[..2], "--group", .. command[2..]]).Run();
        grouped.Succeeded();
        Assert.Equal(["(3)", "one", "two", "(1)", "one", "2"], grouped.Lines.Select(line => line.StartsWith("---", StringComparison.Ordinal) ? line.Split(' ')[^1] : line));
        Assert.Contains($"beta/{other.Name} (1)", grouped.Output, StringComparison.Ordinal);
        var differing = await fleet.Crashcart([.. command[..2], "--diff", .. command[2..]]).Run();
        Assert.Equal(["@@ -1,2 +1,2 @@", " one", "-two", "+2"], differing.Lines[^4..]);
    }

    [Fact]
    public async Task Programs_read_objects()
    {
        await using var boxes = await Boxes("app=json", 2);
        var run = await fleet.Crashcart("fleet", "exec", "-l", "app=json", "--json", "bash", "-c", "printf 'a\\377'; exit 2").Run();
        run.Exited(1);
        var lines = run.Lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.Equal(2, lines.Count(line => line.GetProperty("type").GetString() == "target"));
        Assert.Equal(2, lines.Count(line => line.TryGetProperty("base64", out var data) && data.GetString() == "Yf8="));
        Assert.Equal(2, lines.Count(line => line.GetProperty("type").GetString() == "exit" && line.GetProperty("exit_code").GetInt32() == 2));
        Assert.Equal(1, lines[^1].GetProperty("exit_code").GetInt32());
    }

    [Fact]
    public async Task A_failed_canary_keeps_the_tool_from_the_others()
    {
        await using var boxes = await Boxes("app=canary", 4);
        var run = await fleet.Crashcart("fleet", "exec", "-l", "app=canary", "--canary", "1", "bash", "-c", "echo ran; exit 1").Run();
        run.Exited(125);
        Assert.Single(run.Lines);
        Assert.Contains("Not started: 1 of the first 1 failed.", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_sample_is_told_and_can_be_drawn_again()
    {
        await using var boxes = await Boxes("app=sample", 6);
        var first = await fleet.Crashcart("fleet", "exec", "-l", "app=sample", "--sample", "50%", "true").Run();
        first.Succeeded();
        Assert.Contains("3 of the 6 containers that match, drawn with --seed ", first.Error, StringComparison.Ordinal);
        var seed = first.Error.TrimEnd('.', '\n').Split(' ')[^1];
        string[] again = ["fleet", "exec", "-l", "app=sample", "--sample", "50%", "--seed", seed];
        var ran = await fleet.Crashcart([.. again, "echo", "x"]).Run();
        var shown = await fleet.Crashcart([.. again, "--dry-run", "echo", "x"]).Run();
        Assert.Equal(
            ran.Lines.Select(line => line.Split(' ')[0]).Order(StringComparer.Ordinal),
            shown.Lines[1..].Select(line => string.Join('/', line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..2])).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Containers_join_a_run_that_follows_when_they_start_and_leave_it_when_they_exit()
    {
        await using var running = fleet.Crashcart("fleet", "exec", "-l", "app=follow", "--follow", "bash", "-c", "hostname; sleep 86370").Start();
        await using var first = await Alpha.Docker.RunBusybox("--label", "app=follow", "--hostname", "first");
        await running.Says($"alpha/{first.Name} ");
        await first.Docker("kill");
        await using var second = await Beta.Docker.RunBusybox("--label", "app=follow", "--hostname", "second");
        await running.Says("second");
        await first.Docker("start");
        await Eventually.Holds(() => running.OutputSoFar.Split("first\n").Length == 3, "the restarted container is another target");
        await second.Docker("stop", "--time", "0");
        await using var third = await Beta.Docker.RunBusybox("--label", "app=follow", "--hostname", "third");
        await running.Says("third");
        await Eventually.Holds(() => HostProcess.Find("sleep 86370").Length == 2, "two tools run");
        running.Signal(LibC.SIGTERM);
        var result = await running.Result();
        result.Exited(1);
        Assert.Equal(4, result.Lines.Length);
        Assert.Equal(
            [$"alpha/{first.Name}", $"beta/{second.Name}"],
            result.Error.Split('\n').Where(line => line.EndsWith("  Exit status 137. Its container exited.", StringComparison.Ordinal))
                .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]));
        Assert.Equal(2, result.Error.Split('\n').Count(line => line.EndsWith("Exit status 143.", StringComparison.Ordinal)));
        await HostProcess.Disappears("sleep 86370");
    }

    [Fact]
    public async Task The_deadline_ends_the_whole_run()
    {
        await using var boxes = await Boxes("app=deadline", 2);
        var run = await fleet.Crashcart("fleet", "exec", "-l", "app=deadline", "--parallel", "1", "--deadline", "2s", "sleep", "86369").Run();
        run.Exited(124);
        Assert.Contains("Ended: the run's deadline of 2 s has passed.", run.Error, StringComparison.Ordinal);
        Assert.Contains("Not started: the run's deadline of 2 s has passed.", run.Error, StringComparison.Ordinal);
        await HostProcess.Disappears("sleep 86369");
    }

    [Fact]
    public async Task Each_tool_keeps_no_more_processors_busy_than_it_may()
    {
        const string Tool = "while :; do :; done # 86367";
        await using var boxes = await Boxes("app=cpus", 2);
        var started = TimeProvider.System.GetTimestamp();
        await using var running = fleet.Crashcart("fleet", "exec", "-l", "app=cpus", "--cpus", "0.2", "bash", "-c", Tool).Start();
        int[] tools = [];
        await Eventually.Holds(() => (tools = HostProcess.Find($"bash -c {Tool}")).Length == 2, "two tools run");
        foreach (var tool in tools)
            await HostProcess.IsHeldTo(tool, 0.2, started);
        running.Signal(LibC.SIGTERM);
        (await running.Result()).Exited(1);
    }

    [Fact]
    public async Task A_signal_overtakes_input_that_the_tool_does_not_read()
    {
        await using var box = await Alpha.Docker.RunBusybox();
        await using var running = fleet.Crashcart("exec", $"alpha/{box.Name}", "bash", "-c", "echo ready; exec sleep 86368").Start();
        await running.Says("ready");
        var before = HostProcess.BytesRead(running.Pid);
        // It fails when nobody reads any more, which is not what this is about.
        var writing = running.Write(new string('x', 64 << 20)).ContinueWith(written => written.Exception, TaskScheduler.Default);
        // More than the pipe to the tool takes is on its way, and all of it can never be.
        await Eventually.Holds(() => HostProcess.BytesRead(running.Pid) > before + (256 << 10), "input is held up");
        Assert.False(writing.IsCompleted);
        running.Signal(LibC.SIGTERM);
        (await running.Result()).Exited(143);
        await writing;
    }

    [Fact]
    public async Task Packets_of_all_containers_are_one_capture()
    {
        await using var first = await Alpha.Docker.RunScratch("--label", "app=packets");
        await using var second = await Beta.Docker.RunScratch("--label", "app=packets");
        await fleet.Sees(2, "app=packets");
        await using var directory = TemporaryDirectory.Create();
        (await fleet.Crashcart("fleet", "capture", "-l", "app=packets", "-c", "4", "-w", directory["all.pcapng"]).Run()).Succeeded();
        var read = await new Command("tshark", ["-r", directory["all.pcapng"], "-T", "fields", "-e", "frame.interface_name", "-e", "frame.time_epoch"]).Run();
        read.Succeeded();
        Assert.Equal([$"alpha/{first.Name}", $"beta/{second.Name}"], read.Lines.Select(line => line.Split('\t')[0]).Distinct().Order(StringComparer.Ordinal));
        Assert.Equal(8, read.Lines.Length);
        var times = read.Lines.Select(line => decimal.Parse(line.Split('\t')[1], CultureInfo.InvariantCulture)).ToList();
        Assert.Equal(times.Order(), times);
        (await fleet.Crashcart("fleet", "capture", "-l", "app=packets", "-w", directory["none.pcapng"], "no such filter").Run()).Exited(1);
    }

    [Theory]
    [InlineData("n", 125)]
    [InlineData("y", 0)]
    public async Task Many_containers_are_asked_about(string answer, int status)
    {
        await using var boxes = await Boxes("app=asked", 3);
        var command = fleet.Crashcart("fleet", "exec", "-l", "app=asked", "echo", "it ran");
        await using var terminal = await Terminal.Open(command with
        {
            Environment = new Dictionary<string, string?>(command.Environment) { ["CRASHCART_CONFIRM_ABOVE"] = "2" },
        });
        await terminal.Shows("Run echo in 3 containers on 2 hosts? [y/N]");
        Assert.DoesNotContain("it ran", await terminal.Screen(), StringComparison.Ordinal);
        await terminal.Enter(answer);
        await terminal.Shows(status == 0 ? "3 done" : "Nothing was run");
        Assert.Equal(status, await terminal.Exited());
    }

    [Fact]
    public async Task A_tree_goes_out_of_one_host_and_into_another_as_it_was()
    {
        await using var from = await Alpha.Docker.RunScratch("--label", "app=copied");
        await using var to = await Beta.Docker.RunScratch("--label", "app=copied");
        await using var directory = TemporaryDirectory.Create();
        await CopiedTree.Make($"{from.Root}/data");
        await fleet.Sees(2, "app=copied");
        (await fleet.Crashcart("cp", $"alpha/{from.Name}:/data", directory.Path).Run()).Succeeded();
        await CopiedTree.Same($"{from.Root}/data", directory["data"]);
        (await fleet.Crashcart("cp", directory["data"], $"beta/{to.Name}:/").Run()).Succeeded();
        await CopiedTree.Same(directory["data"], $"{to.Root}/data");
        (await fleet.Crashcart("cp", $"alpha/{from.Name}:/nowhere", directory.Path).Run()).Refused(125, "nowhere", "No such file");
        (await fleet.Crashcart("cp", "alpha/nobody:/data", directory.Path).Run()).Refused(125, "nobody");
        (await fleet.Crashcart("cp", directory["data"], $"beta/{to.Name}:/nowhere/x").Run()).Refused(125, "no directory '/nowhere'");
        Assert.Equal([directory["data"]], Directory.GetFileSystemEntries(directory.Path));
    }

    [Fact]
    public async Task The_same_tree_comes_out_of_every_container_into_directories_of_their_own()
    {
        await using var one = await Alpha.Docker.RunScratch("--label", "app=gathered");
        await using var other = await Beta.Docker.RunScratch("--label", "app=gathered");
        await using var without = await Beta.Docker.RunScratch("--label", "app=gathered", "--label", "empty");
        await using var directory = TemporaryDirectory.Create();
        await CopiedTree.Make($"{one.Root}/data");
        await CopiedTree.Make($"{other.Root}/data");
        await fleet.Sees(3, "app=gathered");
        (await fleet.Crashcart("fleet", "cp", "-l", "app=gathered,!empty", ":/data", directory["all"]).Run()).Succeeded();
        await CopiedTree.Same($"{one.Root}/data", directory[$"all/alpha/{one.Name}/data"]);
        await CopiedTree.Same($"{other.Root}/data", directory[$"all/beta/{other.Name}/data"]);

        var failed = await fleet.Crashcart("fleet", "cp", "-l", "app=gathered", ":/data", directory["some"]).Run();
        failed.Exited(125);
        Assert.Contains($"beta/{without.Name}", failed.Error, StringComparison.Ordinal);
        Assert.Contains("No such file", failed.Error, StringComparison.Ordinal);
        await CopiedTree.Same($"{one.Root}/data", directory[$"some/alpha/{one.Name}/data"]);
        Assert.Empty(Directory.GetFileSystemEntries(directory[$"some/beta/{without.Name}"]));
    }

    [Theory]
    [InlineData(15, 143)]
    [InlineData(9, 137)]
    public async Task A_copy_that_is_ended_leaves_nothing(int signal, int code)
    {
        await using var box = await Alpha.Docker.RunScratch("--label", "app=uncopied");
        Directory.CreateDirectory($"{box.Root}/into");
        await fleet.Sees(1, "app=uncopied");
        await using var copy = fleet.Crashcart("cp", "-", $"alpha/{box.Name}:/into").Start();
        await Eventually.Holds(() => Directory.EnumerateFileSystemEntries($"{box.Root}/into").Any(), "the copy has begun");
        copy.Signal(signal);
        (await copy.Result()).Exited(code);
        await Eventually.Holds(() => !Directory.EnumerateFileSystemEntries($"{box.Root}/into").Any(), "nothing is left of the copy");
    }

    /// <summary>Containers with busybox and the label, half of them on each node, once the fleet sees them.</summary>
    private async Task<Group> Boxes(string label, int count)
    {
        var boxes = await Task.WhenAll(Enumerable.Range(0, count).Select(index => fleet.Nodes[index % 2].Docker.RunBusybox("--label", label)));
        await fleet.Sees(count, label);
        return new Group(boxes);
    }

    private sealed class Group(Container[] containers) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await Task.WhenAll(containers.Select(container => container.DisposeAsync().AsTask()));
    }
}
