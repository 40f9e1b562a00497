using System.Text.Json;
using Crashcart.Api;
using Crashcart.Audit;
using Crashcart.Coordinator.Tests.Doubles;
using Grpc.Core;

namespace Crashcart.Coordinator.Tests.Auditing;

/// <summary>What a policy does not allow, in the audit log.</summary>
public sealed class DeniedTests(PolicyFleet fleet) : IClassFixture<PolicyFleet>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_request_that_the_policy_denies_is_there_with_who_asked_and_why_not()
    {
        RpcException refusal = await Assert.ThrowsAsync<RpcException>(
            async () => await new Leases.LeasesClient(fleet.Eve).KillAsync(new KillRequest { Id = "run-1", Reason = "to see it end" }));
        Assert.Equal(StatusCode.PermissionDenied, refusal.StatusCode);

        using var patience = new CancellationTokenSource(Patience);
        IReadOnlyList<string> lines;
        while ((lines = new AuditQuery(User: "eve", Verb: "kill").Read(Path.Combine(fleet.Coordinator.AuditDirectory, "coordinator"))).Count == 0)
        {
            patience.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
        JsonElement denied = JsonDocument.Parse(Assert.Single(lines)).RootElement;
        Assert.Equal(
            ("denied", "user eve", "127.0.0.1", "run-1", "to see it end", refusal.Status.Detail),
            (Text(denied, "event"), Text(denied, "user"), Text(denied, "from"), Text(denied, "target"), Text(denied, "reason"), Text(denied, "problem")));
    }

    private static string Text(JsonElement line, string name) => line.GetProperty(name).GetString()!;
}
