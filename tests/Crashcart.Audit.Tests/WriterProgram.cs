using System.Diagnostics;
using System.Globalization;

namespace Crashcart.Audit.Tests;

/// <summary>A process of its own that writes a log until it is killed.</summary>
internal static class WriterProgram
{
    /// <summary>Says the number of each event that is written: <c>DIRECTORY</c>.</summary>
    public static async Task<int> Main(string[] args)
    {
        using AuditLog log = TestLogs.Open(args[0]);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(async () =>
        {
            while (true)
            {
                string id = Guid.NewGuid().ToString("N", CultureInfo.InvariantCulture);
                await log.WriteAsync(new AuditEvent("session.start") { Session = id });
                await Console.Out.WriteLineAsync(id);
            }
        })));
        return 0;
    }

    public static Process Start(string directory) => Process.Start(
        new ProcessStartInfo("dotnet", [typeof(WriterProgram).Assembly.Location, directory]) { RedirectStandardOutput = true })!;
}
