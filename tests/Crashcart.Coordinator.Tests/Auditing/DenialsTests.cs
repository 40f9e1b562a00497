using Crashcart.Audit;
using Crashcart.Coordinator.Auditing;

namespace Crashcart.Coordinator.Tests.Auditing;

public sealed class DenialsTests
{
    [Fact]
    public void Nobodys_denials_drown_those_of_another()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("audit-");
        using (var log = new AuditLog(directory.FullName, new AuditLimits(1 << 20, 1 << 30, null), TimeProvider.System, _ => { }))
        using (var denials = new Denials(log, TimeProvider.System))
        {
            for (int i = 0; i < 1000; i++)
            {
                denials.Tell(new AuditEvent("") { Verb = Denials.Connect });
                denials.Tell(new AuditEvent("") { Verb = Denials.Join });
                denials.Tell(new AuditEvent("") { Verb = "exec", Caller = new AuditCaller("user mallory", [], "") });
            }
            denials.Tell(new AuditEvent("") { Verb = "exec", Caller = new AuditCaller("user alice", [], "") });
        }

        IReadOnlyList<string> lines = new AuditQuery().Read(directory.FullName);
        directory.Delete(recursive: true);
        Assert.Single(lines, line => line.Contains("user alice", StringComparison.Ordinal));
        Assert.Equal(
            ["connect", "join", "user mallory"],
            lines.Where(line => line.Contains("omitted", StringComparison.Ordinal)).Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement)
                .Select(line => line.TryGetProperty("verb", out var verb) ? verb.GetString() : line.GetProperty("user").GetString()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void So_many_have_a_line_and_the_others_are_counted()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("audit-");
        using (var log = new AuditLog(directory.FullName, new AuditLimits(1 << 20, 1 << 30, null), TimeProvider.System, _ => { }))
        using (var denials = new Denials(log, TimeProvider.System))
        {
            for (int i = 0; i < 10_000; i++)
                denials.Tell(new AuditEvent("") { Verb = "connect" });
        }

        long lines = 0, omitted = 0;
        foreach (string line in new AuditQuery().Read(directory.FullName))
        {
            using var json = System.Text.Json.JsonDocument.Parse(line);
            if (json.RootElement.TryGetProperty("omitted", out var left))
                omitted += left.GetInt64();
            else
                lines++;
        }
        directory.Delete(recursive: true);
        Assert.InRange(lines, 100, 110);
        Assert.Equal(10_000, lines + omitted);
    }
}
