using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Crashcart.Chaos;

/// <summary>
/// Runs the campaign in PID, mount and cgroup namespaces of its own. When the campaign is killed the kernel ends all that
/// is in there; when this process is killed the campaign sees its input end, and what stays is removed by the next one.
/// </summary>
internal static class Supervisor
{
    private const string Prefix = "cc-chaos-";
    private const string Lock = "lock";

    public static async Task<int> Run(string[] arguments)
    {
        foreach (var left in Directory.GetDirectories(Path.GetTempPath(), $"{Prefix}*"))
        {
            if (TryLock(left) is { } abandoned)
            {
                await using (abandoned)
                    await Leftovers.Remove(left);
            }
        }

        var directory = Directory.CreateTempSubdirectory(Prefix).FullName;
        await using var held = TryLock(directory);
        try
        {
            return await Campaign(directory, arguments);
        }
        finally
        {
            await Leftovers.Remove(directory);
        }
    }

    private static async Task<int> Campaign(string directory, string[] arguments)
    {
        var start = new ProcessStartInfo("setsid",
        [
            "--wait", "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
            "bash", Path.Combine(AppContext.BaseDirectory, "isolate.sh"), Path.GetFileName(directory),
            Environment.ProcessPath!, typeof(Supervisor).Assembly.Location, CommandLine.Inside, .. arguments,
        ])
        {
            RedirectStandardInput = true,
        };
        start.Environment["TMPDIR"] = directory;
        // The runtime's own sockets for debuggers, which it leaves in TMPDIR when it is killed.
        start.Environment["DOTNET_EnableDiagnostics"] = "0";
        using var campaign = Process.Start(start)!;

        // The campaign ends with its input.
        void Stop(PosixSignalContext signal)
        {
            signal.Cancel = true;
            campaign.StandardInput.Close();
        }
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        await campaign.WaitForExitAsync();
        return campaign.ExitCode;
    }

    /// <summary>The lock of a campaign's directory, or null while a campaign lives that has it.</summary>
    private static FileStream? TryLock(string directory)
    {
        try
        {
            return new FileStream(Path.Combine(directory, Lock), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
