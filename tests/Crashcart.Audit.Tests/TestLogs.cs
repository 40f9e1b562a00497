using System.Text.Json;

namespace Crashcart.Audit.Tests;

internal static class TestLogs
{
    public static readonly AuditLimits Wide = new(1 << 20, 1 << 30, null);

    public static AuditLog Open(string directory, AuditLimits? limits = null, Action<string>? complain = null, TimeProvider? time = null) =>
        new(directory, limits ?? Wide, time ?? TimeProvider.System, complain ?? (_ => { }));

    /// <summary>Writes events, one after the other, and closes the log.</summary>
    public static async Task WriteAsync(string directory, int count, AuditLimits? limits = null)
    {
        using AuditLog log = Open(directory, limits);
        for (int i = 0; i < count; i++)
            await log.WriteAsync(Event(i));
    }

    public static AuditEvent Event(int number) => new("session.start")
    {
        Caller = new AuditCaller("user alice", ["sre"], "192.0.2.1"),
        Verb = "exec",
        Node = "n1",
        Container = "web",
        Arguments = ["tcpdump", "-ni", "any"],
        Session = $"run-{number}",
    };

    public static string[] Files(string directory) => [.. Directory.EnumerateFiles(directory, "audit-*.jsonl").Order(StringComparer.Ordinal)];

    /// <summary>The log's lines, of all files.</summary>
    public static JsonElement[] Lines(string directory) =>
        [.. Files(directory).SelectMany(File.ReadAllLines).Select(line => JsonDocument.Parse(line).RootElement)];

    public static string[] Events(string directory) => [.. Lines(directory).Select(line => line.GetProperty("event").GetString()!)];
}

/// <summary>A directory of its own, in memory.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateDirectory($"/dev/shm/audit-{Guid.NewGuid():N}").FullName;

    public string Log => System.IO.Path.Combine(Path, "log");

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
