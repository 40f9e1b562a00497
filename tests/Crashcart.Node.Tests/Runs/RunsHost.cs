using System.Text;
using Crashcart.Actors;
using Crashcart.Actors.Node.Ports;
using Crashcart.Actors.Protocol;
using Crashcart.Node.Runs;
using Crashcart.Node.Tests.Streams;
using Microsoft.Extensions.Logging.Abstractions;

namespace Crashcart.Node.Tests.Runs;

/// <summary>Runs that are kept in a temporary directory, and a clock that a test sets.</summary>
internal sealed class RunsHost : TimeProvider, IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("crashcart-runs-");

    public RunsHost(long budget = 1 << 30)
    {
        Budget = budget;
        Records = Open();
    }

    public DateTimeOffset Now { get; set; } = DateTimeOffset.UtcNow;

    public long Budget { get; }

    public RunRecords Records { get; }

    public string Root => _directory.FullName;

    public override DateTimeOffset GetUtcNow() => Now;

    /// <summary>The same directory as the next process has it.</summary>
    public RunRecords Open() => new(Root, Budget, TimeSpan.FromDays(7), this, NullLogger.Instance);

    public Task<ISessionCall> BeginAsync(string run, int target = 0, long maxBytes = long.MaxValue) => Records.OpenAsync(
        new StartSession
        {
            SessionId = Session(run, target).Value,
            RunId = run,
            ContainerId = $"id-{target}",
            Tool = new ToolDescription { Argv = { "tcpdump", "-w", "secret" } },
            Keep = new KeepOrder { MaxBytes = maxBytes, By = "anna", Container = $"web-{target}", Target = target, Targets = 3, RunSinceUnixMs = 5 },
        },
        CancellationToken.None);

    /// <summary>A whole session that writes that many bytes and ends.</summary>
    public async Task KeepAsync(string run, int bytes, int target = 0)
    {
        await using var record = await BeginAsync(run, target);
        var tool = new PipedTool();
        var carry = record.CarryAsync(tool);
        await tool.Writes.WriteAsync(new byte[bytes]);
        tool.Exit(0);
        await carry;
    }

    public static async Task<(string Output, string Errors, SessionExit Exit)> ReadAsync(
        RunRecords records, string run, int target = 0, bool follow = false, bool endsOnly = false)
    {
        var (output, errors) = (new MemoryStream(), new MemoryStream());
        await foreach (var frame in records.ReadAsync(Session(run, target), follow, endsOnly, CancellationToken.None))
        {
            if (frame.Exit is { } exit)
                return (Encoding.UTF8.GetString(output.ToArray()), Encoding.UTF8.GetString(errors.ToArray()), exit);
            output.Write(frame.Stdout.Span);
            errors.Write(frame.Stderr.Span);
        }

        throw new InvalidOperationException("There was no exit frame.");
    }

    public static SessionId Session(string run, int target = 0) => new RunId(run).Session(target);

    public void Dispose() => _directory.Delete(recursive: true);
}
