using System.Text.Json;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>The audit logs of a coordinator and its node, on disks that can be filled.</summary>
public sealed class AuditTests(AuditedFleet fixture) : HostTest, IClassFixture<AuditedFleet>
{
    private FleetHost Fleet => fixture.Fleet;

    [Fact]
    public async Task A_session_is_in_both_logs_with_the_same_id_and_both_are_whole()
    {
        await using var box = await Fleet.Nodes[0].Docker.RunScratch("--label", "app=audit");
        var tool = await Fleet.Crashcart("exec", "--reason", "ticket 7", "-e", "PASSWORD=secret", $"alpha/{box.Name}", "sh", "-c", "echo hello; exit 3").Run();
        tool.Exited(3);

        JsonElement[] there = [], here = [];
        await Eventually.Holds(
            async () => (there = await List("--target", $"alpha/{box.Name}")).Length == 2 && (here = await List("--node", "alpha", "--target", box.Name)).Length == 2,
            "both logs have start and end");
        Assert.All(there.Concat(here), line => Assert.Equal(Text(there[0], "session"), Text(line, "session")));
        Assert.All(there.Concat(here), line => Assert.StartsWith("uid 0", Text(line, "user"), StringComparison.Ordinal));
        Assert.Equal(["ticket 7", "ticket 7"], new[] { there[0], here[0] }.Select(line => Text(line, "reason")));
        Assert.Equal([3, 3], new[] { there[1], here[1] }.Select(line => line.GetProperty("exit").GetInt32()));
        Assert.Equal(6, there[1].GetProperty("outputBytes").GetInt64());
        Assert.StartsWith("sha256:", Text(here[0], "imageDigest"), StringComparison.Ordinal);
        Assert.DoesNotContain("secret", string.Concat(there.Concat(here).Select(line => line.GetRawText())), StringComparison.Ordinal);
        Assert.Contains($"alpha/{box.Name}", await Fleet.Crashcart("audit", "ls").Output(), StringComparison.Ordinal);

        var verified = await Fleet.Crashcart("audit", "verify", fixture.LogOf("coordinator"), fixture.LogOf("node")).Run();
        verified.Succeeded();
        Assert.All(verified.Lines, line => Assert.Contains(": whole, lines 1 to ", line, StringComparison.Ordinal));
    }

    [Fact]
    public async Task One_byte_that_was_changed_is_told_by_file_and_line()
    {
        await using var box = await Fleet.Nodes[0].Docker.RunScratch("--label", "app=audit");
        await Fleet.Crashcart("exec", $"alpha/{box.Name}", "true").Output();
        await Fleet.Crashcart("exec", $"alpha/{box.Name}", "true").Output();
        await using var directory = TemporaryDirectory.Create();
        await new Command("cp", "-r", fixture.LogOf("node"), directory["copy"]).Output();
        var file = Directory.GetFiles(directory["copy"], "audit-*.jsonl")[0];
        var bytes = await File.ReadAllBytesAsync(file);
        bytes[100] ^= 1;
        await File.WriteAllBytesAsync(file, bytes);

        var verified = await Fleet.Crashcart("audit", "verify", directory["copy"]).Run();

        verified.Exited(1);
        Assert.StartsWith($"crashcart: {file}:", verified.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("coordinator")]
    [InlineData("node")]
    public async Task No_tool_starts_while_a_log_cannot_be_written_and_again_when_it_can(string daemon)
    {
        await using var box = await Fleet.Nodes[0].Docker.RunScratch("--label", "app=audit");
        var exec = Fleet.Crashcart("exec", $"alpha/{box.Name}", "echo", "hello");
        Assert.Equal("hello", await exec.Output());
        var disk = fixture.DiskOf(daemon);
        await disk.Fill();
        CommandResult? refused = null;
        // The last page of the file has room for some lines yet.
        await Eventually.Holds(async () => (refused = await exec.Run()).ExitCode == 125, "the log is full");
        Assert.Equal("", refused!.Output);
        Assert.Contains($"The audit log in {fixture.LogOf(daemon)} cannot be written: ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("No space left on device", refused.Error, StringComparison.Ordinal);
        Assert.Contains(box.Name, await Fleet.Crashcart("ps").Output(), StringComparison.Ordinal);

        disk.Free();

        Assert.Equal("hello", await exec.Output());
        (await Fleet.Crashcart("audit", "verify", fixture.LogOf(daemon)).Run()).Succeeded();
    }

    private async Task<JsonElement[]> List(params string[] words) =>
        [.. (await Fleet.Crashcart(["audit", "ls", "-o", "json", .. words]).Run()).Lines.Select(line => JsonDocument.Parse(line).RootElement)];

    private static string Text(JsonElement line, string name) => line.TryGetProperty(name, out var value) ? value.GetString()! : "";
}

/// <summary>A fleet whose audit logs have disks of their own.</summary>
public sealed class AuditedFleet : IAsyncLifetime
{
    private const int Megabytes = 1;

    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();
    private readonly Dictionary<string, SmallDisk> _disks = [];

    internal FleetHost Fleet { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        foreach (var daemon in (string[])["coordinator", "node"])
            _disks[daemon] = await SmallDisk.Over(_directory[daemon], Megabytes);
        Fleet = new Logged(_directory["coordinator"], _directory["node"]);
        await Fleet.InitializeAsync();
    }

    public async Task DisposeAsync()
    {
        await Fleet.DisposeAsync();
        foreach (var disk in _disks.Values)
            await disk.DisposeAsync();
        await _directory.DisposeAsync();
    }

    internal SmallDisk DiskOf(string daemon) => _disks[daemon];

    internal string LogOf(string daemon) => Path.Combine(_directory[daemon], daemon);

    private sealed class Logged(string coordinator, string node)
        : FleetHost(["alpha"], coordinators: 1, coordinatorOptions: ["--audit-dir", coordinator], nodeOptions: ["--audit-dir", node]);
}
