using System.Text.Json;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>People who may do what a policy says.</summary>
public sealed class FleetPolicyTests(PolicedFleet fleet) : HostTest, IClassFixture<PolicedFleet>
{
    [Fact]
    public async Task A_policy_lets_people_see_and_use_what_is_theirs()
    {
        await using var web = await fleet.Nodes[0].Docker.RunScratch("--label", "app=web");
        await using var vault = await fleet.Nodes[0].Docker.RunScratch("--label", "app=vault");
        await fleet.Authority.Issue("user", "alice", group: "web");

        Assert.Equal("hello", await As("alice", "exec", $"alpha/{web.Name}", "echo", "hello").Output());
        Assert.DoesNotContain(vault.Name, await As("alice", "ps").Output(), StringComparison.Ordinal);
        (await As("alice", "exec", $"alpha/{vault.Name}", "echo").Run()).Refused(125, "No running container is named");
        (await As("alice", "exec", $"alpha/{web.Name}", "sh").Run()).Refused(125, "The fleet's policy does not let user:alice (group:web) exec sh");
        (await As("alice", "exec", "--profile", "privileged", $"alpha/{web.Name}", "echo").Run()).Refused(125, "with profile privileged");
        (await As("alice", "mount", $"alpha/{web.Name}").Run()).Refused(125, "does not let user:alice (group:web) mount");
        (await As("alice", "fleet", "exec", "--label", "app=vault", "echo").Run()).Exited(3);
        Assert.Contains(vault.Name, await fleet.Crashcart("ps").Output(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_profile_of_the_policys_is_what_a_tool_gets_for_whoever_may_use_it()
    {
        await using var web = await fleet.Nodes[0].Docker.RunScratch("--label", "app=web");
        await fleet.Authority.Issue("user", "erin", group: "web");

        Assert.Equal("hello", await As("erin", "exec", "--profile", "sniff", $"alpha/{web.Name}", "echo", "hello").Output());
        (await As("erin", "exec", "--profile", "bare", $"alpha/{web.Name}", "echo").Run()).Refused(125, "with profile bare");
        (await As("erin", "exec", "--profile", "none", $"alpha/{web.Name}", "echo").Run()).Refused(125, "the policy of this coordinator has restricted, debug, privileged, sniff, bare.");
        string status = await fleet.Crashcart("exec", "--profile", "sniff", $"alpha/{web.Name}", "cat", "/proc/self/status").Output();
        Assert.Contains("CapBnd:\t00000000a00435fb\nCapAmb:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n", status, StringComparison.Ordinal);
        string bare = await fleet.Crashcart("exec", "--explain", "--profile", "bare", $"alpha/{web.Name}", "sh").Output();
        Assert.Matches("profile +bare \\(restricted\\)", bare);
        Assert.DoesNotMatch("CAP_[A-Z_]+ +yes", bare);
    }

    [Fact]
    public async Task A_run_that_is_kept_is_its_owners()
    {
        await using var web = await fleet.Nodes[0].Docker.RunScratch("--label", "app=web");
        await fleet.Authority.Issue("user", "carol", group: "web");
        await fleet.Authority.Issue("user", "dave", group: "web");

        var run = await As("carol", "fleet", "exec", "--detach", "--label", "app=web", "echo", "kept").Output();

        await As("carol", "runs", "wait", run).Output();
        Assert.Contains("kept", await As("carol", "runs", "logs", run).Output(), StringComparison.Ordinal);
        Assert.DoesNotContain(run, await As("dave", "runs").Output(), StringComparison.Ordinal);
        (await As("dave", "runs", "logs", run).Run()).Refused(3, "no run");
        (await As("dave", "runs", "rm", run).Run()).Refused(3, "no run");
        await As("carol", "runs", "rm", run).Output();
    }

    [Fact]
    public async Task A_policy_that_is_written_is_in_force_and_one_that_is_wrong_changes_nothing()
    {
        await fleet.Authority.Issue("user", "bob");
        (await As("bob", "image", "ls").Run()).Refused(125, "does not let user:bob images");

        await fleet.WritePolicy($"{PolicedFleet.Rules}  - {{effect: allow, subjects: ['user:bob'], verbs: [images]}}\n");
        await Eventually.Holds(async () => (await As("bob", "image", "ls").Run()).ExitCode == 0, () => $"the new policy is in force; {fleet.Logs()}");
        await fleet.WritePolicy("rules:\n  - effect: forbid\n");
        await Eventually.Holds(
            () => Task.FromResult(fleet.Logs().Contains("policy.yaml:2:13: 'forbid' is none of allow, deny.", StringComparison.Ordinal)),
            () => $"the coordinator says what is wrong; {fleet.Logs()}");

        await As("bob", "image", "ls").Output();
    }

    [Fact]
    public async Task A_policy_is_checked_here_and_explained_there()
    {
        await using var directory = TemporaryDirectory.Create();
        await File.WriteAllTextAsync(directory["right"], PolicedFleet.Rules);
        await File.WriteAllTextAsync(directory["wrong"], "rules:\n  - effect: allow\n    subjects: [alice]\n");
        await using var vault = await fleet.Nodes[0].Docker.RunScratch("--label", "app=vault");

        Assert.Equal($"{directory["right"]}: 5 rules, 2 profiles", await fleet.Crashcart("policy", "check", directory["right"]).Output());
        var wrong = await fleet.Crashcart("policy", "check", directory["wrong"]).Run();
        wrong.Exited(1);
        Assert.StartsWith($"{directory["wrong"]}:3:16: 'alice' in 'subjects'", wrong.Error, StringComparison.Ordinal);
        var denied = await fleet.Crashcart("policy", "explain", "--as", "alice", "--group", "web", "--target", $"alpha/{vault.Name}", "--tool", "echo").Run();
        denied.Exited(1);
        Assert.Matches("^denied: .*/policy.yaml:3: the rule 'vault' denies it.$", denied.Output.TrimEnd());
    }

    [Fact]
    public async Task A_terminals_session_is_recorded_and_played_and_exported_as_it_was()
    {
        await using var directory = TemporaryDirectory.Create();
        await using var web = await fleet.Nodes[0].Docker.RunScratch("--label", "app=web");
        await fleet.Authority.Issue("user", "olga", group: "oncall");
        await fleet.Authority.Issue("user", "ada", group: "auditors");
        await using (var terminal = await Terminal.Open(As("olga", "exec", $"alpha/{web.Name}")))
        {
            await terminal.Enter("echo r\u00e9sum\u00e9 $((40 + 2))");
            await terminal.Shows("r\u00e9sum\u00e9 42");
            await terminal.Enter("exit 5");
            Assert.Equal(5, await terminal.Exited());
        }

        string[] row = (await As("ada", "recordings", "ls", "--user", "olga").Output()).Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        await As("ada", "recordings", "export", row[0], directory["session.cast"]).Output();
        JsonElement[] lines = [.. (await File.ReadAllLinesAsync(directory["session.cast"])).Select(line => JsonDocument.Parse(line).RootElement)];

        Assert.Equal((2, 100, 30), (lines[0].GetProperty("version").GetInt32(), lines[0].GetProperty("width").GetInt32(), lines[0].GetProperty("height").GetInt32()));
        string shown = string.Concat(lines[1..].Where(line => line[1].GetString() == "o").Select(line => line[2].GetString()));
        Assert.Contains("r\u00e9sum\u00e9 42\r\n", shown, StringComparison.Ordinal);
        Assert.Equal(("m", "exited with 5"), (lines[^1][1].GetString(), lines[^1][2].GetString()));
        Assert.DoesNotContain(lines[1..], line => line[1].GetString() == "i");
        await using var playing = await Terminal.Open(As("ada", "recordings", "play", row[0], "--speed", "100"));
        await playing.Shows("r\u00e9sum\u00e9 42");
        Assert.Equal(0, await playing.Exited());
        Assert.Contains("finished, and as the audit log says", await As("ada", "recordings", "verify", row[0]).Output(), StringComparison.Ordinal);
        (await As("olga", "recordings", "play", row[0]).Run()).Refused(125, "does not let user:olga (group:oncall) recordings");
    }

    [Fact]
    public async Task A_killed_coordinator_leaves_what_it_had_recorded_and_says_that_it_is_not_all()
    {
        await using var web = await fleet.Nodes[0].Docker.RunScratch("--label", "app=web");
        await fleet.Authority.Issue("user", "otto", group: "oncall");
        await fleet.Authority.Issue("user", "ada", group: "auditors");
        await using (var session = As("otto", "exec", $"alpha/{web.Name}", "sh", "-c", "echo so far; sleep 86371").Start())
        {
            await session.Says("so far");
            await fleet.Coordinators[0].Kill();
            (await session.Result()).Exited(125);
        }
        await fleet.Restore();

        string[] row = (await As("ada", "recordings", "ls", "--user", "otto").Output()).Split('\n')[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal("unfinished", row[^1]);
        (await As("ada", "recordings", "verify", row[0]).Run()).Refused(1, "the coordinator was killed in the middle of it");
        Assert.Equal("so far\n", (await As("ada", "recordings", "export", row[0], "--raw", "stdout").Run()).Output);
    }

    [Fact]
    public async Task A_disk_that_is_full_ends_what_it_cannot_record_and_starts_nothing()
    {
        await using var web = await fleet.Nodes[0].Docker.RunScratch("--label", "app=web");
        await fleet.Authority.Issue("user", "oda", group: "oncall");
        await using var disk = await SmallDisk.Over(fleet.RecordingsOf(coordinator: 0), megabytes: 1);

        var ended = await As("oda", "exec", $"alpha/{web.Name}", "yes").Run();
        ended.Exited(125);
        Assert.Contains("can record no more: No space left on device", ended.Error, StringComparison.Ordinal);
        await disk.Fill();
        (await As("oda", "exec", $"alpha/{web.Name}", "echo", "unseen").Run()).Refused(125, "No space left on device");
        disk.Free();
        Assert.Equal("seen", await As("oda", "exec", $"alpha/{web.Name}", "echo", "seen").Output());
    }

    private Command As(string user, params string[] words) => new(Artifacts.Cli, words)
    {
        Environment = new Dictionary<string, string?> { ["CRASHCART_COORDINATOR"] = fleet.Url, ["CRASHCART_TLS_DIR"] = fleet.Authority[user] },
    };
}

/// <summary>A fleet whose members speak TLS, with a policy.</summary>
public sealed class PolicedFleet() : FleetHost(["alpha"], coordinators: 1, isSecured: true, policy: Rules)
{
    internal const string Rules = """
        profiles: {sniff: {base: restricted, add: [NET_ADMIN], drop: [MKNOD]}, bare: {capabilities: []}}
        rules:
          - {name: vault, effect: deny, subjects: ['*'], labels: app=vault}
          - {name: see the web, effect: allow, subjects: ['group:web'], verbs: [list], labels: app=web}
          - {name: use the web, effect: allow, subjects: ['group:web'], labels: app=web, profiles: [debug, sniff], tools: [echo]}
          - {name: on call, effect: allow, subjects: ['group:oncall'], verbs: [exec], labels: app=web, record: output}
          - {name: auditors, effect: allow, subjects: ['group:auditors'], verbs: [recordings]}

        """;
}
