using Crashcart.Actors.Protocol;
using Crashcart.Api;
using Crashcart.Coordinator.Policies;
using Crashcart.Coordinator.Tests.Doubles;
using Crashcart.Node.Identity;
using Google.Protobuf.Reflection;
using Grpc.Core;
using Grpc.Net.Client;

namespace Crashcart.Coordinator.Tests.Policies;

/// <summary>What a policy lets people do by a coordinator's API.</summary>
public sealed class PolicyTests(PolicyFleet fleet) : IClassFixture<PolicyFleet>
{
    public static TheoryData<string> Calls => [.. Methods().Select(CallOf)];

    [Fact]
    public void Every_call_is_a_verb_and_every_verb_of_a_call_is_one() =>
        Assert.Equal(Methods().Select(CallOf).Order(StringComparer.Ordinal), CallVerbs.Calls.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Calls))]
    public async Task Nothing_is_done_for_a_user_of_whom_no_rule_speaks(string call)
    {
        string[] words = call.Split('/');
        var bytes = Marshallers.Create<byte[]>(message => message, message => message);
        using var raw = fleet.Eve.CreateCallInvoker().AsyncDuplexStreamingCall(new Method<byte[], byte[]>(MethodType.DuplexStreaming, words[1], words[2], bytes, bytes), null, default);
        await raw.RequestStream.WriteAsync([]);
        await raw.RequestStream.CompleteAsync();

        // The policy of these tests lets everybody look at a node.
        if (call.EndsWith("/ListNodes", StringComparison.Ordinal))
        {
            Assert.True(await raw.ResponseStream.MoveNext());
            return;
        }
        var refusal = await Assert.ThrowsAsync<RpcException>(() => raw.ResponseStream.MoveNext());
        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        Assert.StartsWith("The fleet's policy does not let user:eve ", refusal.Status.Detail, StringComparison.Ordinal);
        await fleet.Log.LineAsync(line => line.StartsWith($"user eve was refused {call}", StringComparison.Ordinal)).WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_listing_names_what_its_reader_may_know()
    {
        Assert.Equal(["alpha/web-1"], await Listed(fleet.Alice));
        Assert.Equal(["alpha/db-1", "alpha/web-1", "beta/web-2"], await Listed(fleet.Sam));
        Assert.Equal(5, (await fleet.Coordinator.Client.ListContainersAsync(new ListContainersRequest())).Containers.Count);
        Assert.Equal(["alpha"], (await new Fleet.FleetClient(fleet.Eve).ListNodesAsync(new ListNodesRequest())).Nodes.Select(node => node.Name));
    }

    [Fact]
    public async Task A_run_has_the_targets_that_its_user_may_use_and_knows_no_others()
    {
        using TestRun run = Run(fleet.Alice, TestRun.Where("app in (web,db,vault)"));

        RunStarted started = await run.StartedAsync();

        Assert.Equal(["web-1"], started.Targets.Select(target => target.Name));
        Assert.Equal(1u, started.Matched);
        using PlayedStream tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        await tool.ExitAsync(0);
        await run.SessionEndedAsync();
        await run.EndedAsync();
    }

    [Fact]
    public async Task A_session_is_granted_to_its_node_in_the_name_of_its_user()
    {
        var node = new GrantCheck(fleet.AlphasIdentity, "alpha", TimeProvider.System);
        using TestRun run = Run(fleet.Alice, TestRun.In("web-1"));
        await run.StartedAsync();
        PlayedSession session = await fleet.Alpha.SessionAsync();

        Granted granted = fleet.Alpha.LastGranted!;

        Grant grant = Grant.Parser.ParseFrom(granted.Grant);
        Assert.Equal(("alpha", "user:alice", "exec"), (grant.Node, grant.Subject, grant.Verb));
        Assert.Equal(session.Start, grant.Start);
        Assert.Equal("web", grant.Start.Chosen.Labels["app"]);
        Assert.Equal("", node.Open(granted).Problem);
    }

    [Fact]
    public async Task A_selection_of_others_containers_alone_matches_nothing()
    {
        using TestRun run = Run(fleet.Alice, TestRun.Where("app=vault"));

        Assert.Empty((await run.StartedAsync()).Targets);
        await run.EndedAsync();
    }

    [Fact]
    public async Task A_container_that_may_not_be_used_is_told_of_as_one_that_is_not_there()
    {
        using TestRun hidden = Run(fleet.Alice, TestRun.In("alpha/db-1"));
        using TestRun missing = Run(fleet.Alice, TestRun.In("alpha/nosuch"));

        Status told = await hidden.FailureAsync();

        Assert.Equal(StatusCode.NotFound, told.StatusCode);
        Assert.Equal((await missing.FailureAsync()).Detail, told.Detail.Replace("db-1", "nosuch", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("")]
    [InlineData("NET_ADMIN")]
    public async Task A_session_with_a_profile_of_the_policys_is_granted_with_all_that_it_may(string added)
    {
        RunRequest request = TestRun.In("web-1");
        request.Tool = new Tool { Argv = { "tool" }, Profile = "sniff", CapAdd = { added.Length > 0 ? [added] : [] } };
        using TestRun run = Run(fleet.Alice, request);
        await run.StartedAsync();
        PlayedSession session = await fleet.Alpha.SessionAsync();

        Granted granted = fleet.Alpha.LastGranted!;

        ToolDescription tool = Grant.Parser.ParseFrom(granted.Grant).Start.Tool;
        Assert.Equal("sniff", tool.Profile);
        Assert.Equal(new ProfileDefinition { Base = "restricted", Added = 1UL << 13, Dropped = 1UL << 27, FiltersCalls = true, NoNewPrivileges = true }, tool.Definition);
        Assert.Equal(session.Start.Tool, tool);
    }

    [Fact]
    public async Task A_profile_that_the_policy_does_not_know_is_refused_with_those_that_it_knows()
    {
        RunRequest request = TestRun.In("web-1");
        request.Tool = new Tool { Argv = { "tool" }, Profile = "snif" };
        using TestRun run = Run(fleet.Alice, request);

        Status refusal = await run.FailureAsync();

        Assert.Equal(
            (StatusCode.InvalidArgument, "There is no profile 'snif'; the policy of this coordinator has restricted, debug, privileged, sniff, bare."),
            (refusal.StatusCode, refusal.Detail));
    }

    [Theory]
    [InlineData("tool", "bare", "", "", "with profile bare")]
    [InlineData("tool", "sniff", "SYS_ADMIN", "", "with profile privileged")]
    [InlineData("sh", "", "", "", "user:alice (group:web) exec sh with profile debug")]
    [InlineData("tool", "privileged", "", "", "with profile privileged")]
    [InlineData("tool", "", "CAP_SYS_ADMIN", "", "with profile privileged")]
    [InlineData("tool", "", "", "other:1", "with image other:1")]
    public async Task A_run_that_is_allowed_nowhere_is_refused(string tool, string profile, string capability, string image, string sentence)
    {
        RunRequest request = TestRun.Where("app=web");
        request.Tool = new Tool { Argv = { tool }, Profile = profile };
        if (capability.Length > 0)
            request.Tool.CapAdd.Add(capability);
        request.Image = image;
        using TestRun run = Run(fleet.Alice, request);

        Status refusal = await run.FailureAsync();

        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);
        Assert.Contains(sentence, refusal.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_may_do_all_but_one_thing_is_kept_from_that_alone()
    {
        using TestRun run = Run(fleet.Sam, TestRun.Where("app in (web,vault)"));
        Assert.Equal(["web-1", "web-2"], (await run.StartedAsync()).Targets.Select(target => target.Name).Order(StringComparer.Ordinal));
        await fleet.Alpha.SessionAsync();
        await fleet.Beta.SessionAsync();

        var mounted = await MountAsync(fleet.Sam, "app in (db,vault)");

        Assert.Equal(["db-1"], mounted.Mounts.Select(mount => mount.Container.Name));
        await fleet.Coordinator.Leases.UnmountAsync(new UnmountRequest { Container = "alpha/db-1" });
    }

    [Fact]
    public async Task What_others_hold_is_listed_and_ended_as_far_as_the_policy_says()
    {
        using TestRun run = fleet.Coordinator.Run(TestRun.In("alpha/vault-1"));
        await run.StartedAsync();
        PlayedSession secret = await fleet.Alpha.SessionAsync();
        using TestRun open = fleet.Coordinator.Run(TestRun.In("alpha/web-1"));
        await open.StartedAsync();
        PlayedSession known = await fleet.Alpha.SessionAsync();
        var sam = new Leases.LeasesClient(fleet.Sam);

        Assert.DoesNotContain((await sam.ListLeasesAsync(new ListLeasesRequest())).Sessions, session => session.SessionId == secret.Start.SessionId);
        Assert.Contains((await new Leases.LeasesClient(fleet.Alice).ListLeasesAsync(new ListLeasesRequest())).Sessions, session => session.SessionId == known.Start.SessionId);
        Assert.Empty((await sam.KillAsync(new KillRequest { Id = secret.Start.SessionId })).Sessions);
        Assert.Single((await sam.KillAsync(new KillRequest { Id = known.Start.SessionId })).Sessions);
        await known.Ended;
        Assert.False(secret.Ended.IsCompleted);
        Assert.Equal(StatusCode.PermissionDenied, await RefusedAsync(() => new Leases.LeasesClient(fleet.Alice).KillAsync(new KillRequest { Id = known.Start.RunId }).ResponseAsync));
    }

    [Fact]
    public async Task A_signal_is_for_runs_of_ones_own()
    {
        using TestRun run = Run(fleet.Sam, TestRun.In("alpha/web-1"));
        RunStarted started = await run.StartedAsync();
        using PlayedStream tool = await fleet.Alpha.ToolAsync();
        await run.NextAsync(RunEvent.EventOneofCase.SessionStarted);
        var signal = new SignalRunRequest { RunId = started.RunId, Signal = 10 };

        Assert.Equal(StatusCode.PermissionDenied, await RefusedAsync(() => new Fleet.FleetClient(fleet.Alice).SignalRunAsync(signal).ResponseAsync));
        await new Fleet.FleetClient(fleet.Sam).SignalRunAsync(signal);

        Assert.Equal(10, await tool.Session.NextSignalAsync());
    }

    [Fact]
    public async Task A_detached_run_is_its_owners_and_those_who_may_do_everything_everywhere()
    {
        RunRequest request = TestRun.In("alpha/web-1");
        request.Detach = true;
        using TestRun run = Run(fleet.Alice, request);
        string id = (await run.StartedAsync()).RunId;
        await run.EndedAsync();
        PlayedSession session = await fleet.Alpha.SessionAsync();

        Assert.Contains(id, await Runs(fleet.Alice));
        Assert.Contains(id, (await fleet.Coordinator.Runs.ListRunsAsync(new ListRunsRequest())).Runs.Select(one => one.RunId));
        Assert.DoesNotContain(id, await Runs(fleet.Sam));
        Assert.Equal(StatusCode.PermissionDenied, await RefusedAsync(() => Runs(fleet.Eve)));
        using TestRun reading = Run(fleet.Sam, new RunRequest { Replay = new Replay { Run = id } });
        Assert.Equal(StatusCode.NotFound, (await reading.FailureAsync()).StatusCode);
        Assert.Equal(StatusCode.NotFound, await RefusedAsync(() => new Crashcart.Api.Runs.RunsClient(fleet.Sam).RemoveRunAsync(new RemoveRunRequest { Id = id }).ResponseAsync));
        await new Fleet.FleetClient(fleet.Sam).SignalRunAsync(new SignalRunRequest { RunId = id, Signal = 9 });

        // She may end nothing but her own.
        Assert.Equal(id, (await new Leases.LeasesClient(fleet.Alice).KillAsync(new KillRequest { Id = id })).RunId);
        await session.Ended;
    }

    [Theory]
    [InlineData("user:alice web exec alpha/web-1 tool", true, ":6: the rule 'use the web' allows it.")]
    [InlineData("user:alice web exec alpha/web-1 sh", false, ": no rule is about it, so it is denied.")]
    [InlineData("user:alice web exec alpha/vault-1 tool", false, ":3: the rule 'vault' denies it.")]
    [InlineData("user:sam sre cordon alpha -", true, ":4: the rule 'sre' allows it.")]
    [InlineData("local:0 - exec alpha/vault-1 sh", true, "Root over the Unix socket may do everything.")]
    public async Task What_the_policy_says_is_explained_with_the_rule_and_its_line(string asked, bool allowed, string reason)
    {
        string[] words = [.. asked.Split(' ').Select(word => word == "-" ? "" : word)];
        var request = new ExplainPolicyRequest { Subject = words[0], Groups = { words[1] }, Verb = words[2], Target = words[3], Tool = words[4] };

        ExplainPolicyResponse answer = await new Crashcart.Api.Policies.PoliciesClient(fleet.Sam).ExplainAsync(request);

        Assert.Equal(allowed, answer.Allowed);
        Assert.EndsWith(reason, answer.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_profile_of_the_policys_is_explained()
    {
        var policies = new Crashcart.Api.Policies.PoliciesClient(fleet.Sam);
        var request = new ExplainPolicyRequest { Subject = "user:alice", Groups = { "web" }, Verb = "exec", Target = "alpha/web-1", Tool = "tool", Profile = "sniff" };

        Assert.EndsWith(
            "allows it. The profile sniff: as restricted, with NET_RAW, without MKNOD, may add NET_ADMIN; seccomp on, no-new-privileges on.",
            (await policies.ExplainAsync(request)).Reason, StringComparison.Ordinal);
        request.Profile = "bare";
        Assert.EndsWith("The profile bare: no capabilities; seccomp on, no-new-privileges on.", (await policies.ExplainAsync(request)).Reason, StringComparison.Ordinal);
        request.Profile = "nosuch";
        Assert.Equal(StatusCode.InvalidArgument, await RefusedAsync(() => policies.ExplainAsync(request).ResponseAsync));
    }

    [Fact]
    public async Task A_question_that_leaves_open_what_decides_is_answered_so()
    {
        ExplainPolicyResponse answer = await new Crashcart.Api.Policies.PoliciesClient(fleet.Sam).ExplainAsync(
            new ExplainPolicyRequest { Subject = "user:sam", Groups = { "sre" }, Verb = "exec" });

        Assert.False(answer.Allowed);
        Assert.Matches("^It depends on what the question leaves open. As it stands: .*:3: the rule 'vault' denies it.$", answer.Reason);
    }

    private static async Task<MountResponse> MountAsync(GrpcChannel user, string selector)
    {
        using var call = new Leases.LeasesClient(user).Mount(new MountRequest { Selection = new Selection { Selector = selector } });
        while (await call.ResponseStream.MoveNext())
        {
            if (call.ResponseStream.Current.Done is { } done)
                return done;
        }
        throw new InvalidOperationException("The call ended without an answer.");
    }

    private static async Task<StatusCode> RefusedAsync<T>(Func<Task<T>> call) => (await Assert.ThrowsAsync<RpcException>(call)).StatusCode;

    private static async Task<IEnumerable<string>> Listed(GrpcChannel user) =>
        (await new Fleet.FleetClient(user).ListContainersAsync(new ListContainersRequest())).Containers.Select(container => $"{container.Node}/{container.Name}");

    private static async Task<IEnumerable<string>> Runs(GrpcChannel user) =>
        (await new Crashcart.Api.Runs.RunsClient(user).ListRunsAsync(new ListRunsRequest())).Runs.Select(run => run.RunId);

    private static TestRun Run(GrpcChannel user, RunRequest request) => TestRun.Start(new Fleet.FleetClient(user), request, CancellationToken.None);

    private static IEnumerable<MethodDescriptor> Methods() => ApiReflection.Descriptor.Services.SelectMany(service => service.Methods);

    private static string CallOf(MethodDescriptor method) => $"/{method.Service.FullName}/{method.Name}";
}
