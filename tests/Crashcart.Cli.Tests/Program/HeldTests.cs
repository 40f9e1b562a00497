using System.Text;
using Crashcart.Api;

namespace Crashcart.Cli.Tests.Program;

/// <summary>mounts, sessions, kill, mount and unmount through a coordinator.</summary>
public sealed class HeldTests
{
    private static readonly long Since = DateTimeOffset.UtcNow.AddHours(-3).ToUnixTimeMilliseconds();

    [Fact]
    public async Task Mounts_are_listed_with_their_holders_and_nothing_reaches_the_terminal_raw()
    {
        var (status, output, _) = await RunAsync(
            new ListLeasesResponse
            {
                Mounts =
                {
                    new MountLease { Node = "b", Container = "e\e[31mvil", LoopDevice = "/dev/loop1", Image = "/img", Path = "/dev/crashcart-data", LeaseId = "lease-1", Holders = { "user 0" }, SinceUnixMs = Since },
                    new MountLease { Node = "a", ContainerId = "0123456789abcdef", LoopDevice = "/dev/loop0", ImageDigest = "sha256:fedcba9876543210", Holders = { "run-1-0", "run-1-1" } },
                    new MountLease { Node = "a", Pid = 7, LoopDevice = "/dev/loop0", Image = "/img" },
                },
            },
            "mounts");

        Assert.Equal(0, status);
        Assert.Equal(
            """
            NODE  CONTAINER     PATH                 LEASE    HELD BY                AGE  DEVICE      IMAGE
            a     pid 7         /dev/crashcart       -        a session on the host  -    /dev/loop0  /img
            a     0123456789ab  /dev/crashcart       -        run-1-0, run-1-1       -    /dev/loop0  fedcba987654
            b     e�[31mvil     /dev/crashcart-data  lease-1  user 0                 3h   /dev/loop1  /img

            """,
            output);
    }

    [Fact]
    public async Task Sessions_are_listed_as_json_for_programs()
    {
        var (status, output, _) = await RunAsync(
            new ListLeasesResponse { Sessions = { new Session { Node = "a", SessionId = "run-1-0", RunId = "run-1", Container = "web", Tool = "bash", SinceUnixMs = 1000 } } },
            "sessions", "-o", "json");

        Assert.Equal(0, status);
        var session = System.Text.Json.JsonDocument.Parse(output).RootElement[0];
        Assert.Equal("run-1-0", session.GetProperty("session").GetString());
        Assert.Equal("1970-01-01T00:00:01+00:00", session.GetProperty("since").GetString());
        Assert.False(session.GetProperty("shared").GetBoolean());
    }

    [Fact]
    public async Task A_host_that_did_not_answer_is_told_and_is_a_failure()
    {
        var (status, output, errors) = await RunAsync(
            new ListLeasesResponse { Unanswered = { new Unanswered { Node = "a", Message = "The node is unreachable." } } }, "mounts");

        Assert.Equal((125, "NODE  CONTAINER  PATH  LEASE  HELD BY  AGE  DEVICE  IMAGE\n"), (status, output));
        Assert.Equal("crashcart: a: The node is unreachable.\n", errors);
    }

    [Fact]
    public async Task Killed_sessions_are_named()
    {
        var (status, output, _) = await RunAsync(
            new KillResponse { Sessions = { new Session { Node = "a", SessionId = "run-1-0", Container = "web", Tool = "bash" } } }, "kill", "run-1");

        Assert.Equal((0, "run-1-0: bash in a/web ends\n"), (status, output));
    }

    [Fact]
    public async Task Nothing_that_was_killed_is_a_status_of_its_own()
    {
        var (status, _, errors) = await RunAsync(new KillResponse(), "kill", "run-9");

        Assert.Equal((3, "crashcart: There is no session or run 'run-9'; 'crashcart sessions' and 'crashcart runs' list them.\n"), (status, errors));
    }

    [Theory]
    [InlineData("mount")]
    [InlineData("unmount")]
    public async Task One_container_is_silent_when_all_went_well(string verb)
    {
        var (status, output, errors) = await RunAsync(Answer(verb, new MountResponse { Mounts = { Changed("web", "", wasMounted: true) } }), verb, "a/web");

        Assert.Equal((0, "", ""), (status, output, errors));
    }

    [Fact]
    public async Task Who_holds_a_mount_is_told_and_is_a_failure()
    {
        var (status, output, errors) = await RunAsync(
            new MountResponse { Mounts = { Changed("web", "It is used by 7 (sh): end that first, or use --force."), Changed("db", "", wasMounted: true) } },
            "fleet", "unmount", "-l", "app");

        Assert.Equal((125, "a/db: unmounted\n"), (status, output));
        Assert.Equal("crashcart: a/web: It is used by 7 (sh): end that first, or use --force.\n", errors);
    }

    [Fact]
    public async Task A_selection_that_matches_nothing_is_a_status_of_its_own()
    {
        var (status, _, errors) = await RunAsync(Answer("mount", new MountResponse()), "fleet", "mount", "-l", "app");

        Assert.Equal((3, "crashcart: No container matched; 'crashcart ps' lists what runs.\n"), (status, errors));
    }

    [Theory]
    [InlineData("mount", "a/web")]
    [InlineData("fleet", "mount", "--node", "*")]
    public async Task An_image_of_the_fleet_is_named_and_its_coming_is_told(params string[] command)
    {
        var asked = new TaskCompletionSource<MountRequest>();
        await using var coordinator = await FakeCoordinator.StartAsync(async conversation =>
        {
            asked.SetResult(await conversation.ReceiveAsync<MountRequest>());
            await conversation.SendAsync(new MountEvent { Waits = new MountWaits { Node = "a", Image = "tools:1", Received = 5, Size = 126_000_000 } });
            await conversation.SendAsync(new MountEvent { Done = new MountResponse { Mounts = { Changed("web", "", wasMounted: true) } } });
        });

        var (status, _, errors) = await CliProcess.RunAsync(
            [.. command, "-i", "tools:1", "--at", "/dev/crashcart-data", "--coordinator", coordinator.Address]);

        Assert.Equal((0, "crashcart: a: fetching image tools:1 (126 MB).\n"), (status, errors));
        var request = await asked.Task;
        Assert.Equal(("tools:1", "/dev/crashcart-data"), (request.Image, request.Path));
    }

    [Theory]
    [InlineData("mount", "a/web")]
    [InlineData("unmount", "a/web")]
    [InlineData("mount", "1")]
    [InlineData("fleet", "mount", "-l", "app")]
    [InlineData("fleet", "unmount", "-l", "app")]
    public async Task A_place_that_is_not_crashcarts_is_refused_before_anything_is_asked(params string[] command)
    {
        var (status, _, errors) = await CliProcess.RunAsync([.. command, "--at", "/dev/shm"]);

        Assert.Equal(125, status);
        Assert.Contains("'/dev/shm' is no place for an image", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_image_file_is_not_named_for_a_container_elsewhere()
    {
        var (status, _, errors) = await RunAsync(new MountEvent(), "mount", "-i", "/img", "a/web");

        Assert.Equal(125, status);
        Assert.Contains("'/img' is a file's name", errors, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_coordinator_that_ends_a_mount_without_an_answer_is_told_of()
    {
        var (status, _, errors) = await RunAsync(new MountEvent(), "mount", "a/web");

        Assert.Equal((125, "crashcart: The coordinator ended the request before it was answered; look at its log.\n"), (status, errors));
    }

    private static Google.Protobuf.IMessage Answer(string verb, MountResponse answer) => verb == "mount" ? new MountEvent { Done = answer } : answer;

    private static ChangedMount Changed(string container, string problem, bool wasMounted = false) =>
        new() { Container = new Container { Node = "a", Name = container }, Problem = problem, WasMounted = wasMounted };

    private static async Task<(int Status, string Output, string Errors)> RunAsync(Google.Protobuf.IMessage answer, params string[] arguments)
    {
        await using var coordinator = await FakeCoordinator.StartAsync(conversation => conversation.SendAsync(answer));
        var (status, output, errors) = await CliProcess.RunAsync([.. arguments, "--coordinator", coordinator.Address]);
        return (status, Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(output)), errors);
    }
}
