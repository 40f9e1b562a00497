using System.Globalization;
using Tmds.Linux;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>Processes as the host sees them.</summary>
internal static class HostProcess
{
    /// <summary>PIDs whose command line is exactly this, its words parted by single blanks.</summary>
    public static int[] Find(string commandLine) =>
        [.. from directory in Directory.GetDirectories("/proc")
            let name = Path.GetFileName(directory)
            where char.IsAsciiDigit(name[0]) && CommandLine(directory) == commandLine
            select int.Parse(name, CultureInfo.InvariantCulture)];

    public static bool Exists(int pid) => Directory.Exists($"/proc/{pid}");

    /// <summary>Waits for the one process with that command line.</summary>
    public static async Task<int> Appears(string commandLine)
    {
        int[] found = [];
        await Eventually.Holds(() => (found = Find(commandLine)).Length == 1, $"one process '{commandLine}' runs");
        return found[0];
    }

    public static Task Disappears(string commandLine, TimeSpan? within = null) =>
        Eventually.Holds(() => Find(commandLine).Length == 0, $"no process '{commandLine}' runs", within);

    /// <summary>Waits until it is in a state, as <c>/proc/PID/stat</c> has it.</summary>
    public static Task IsIn(int pid, char state) => Eventually.Holds(
        () => File.ReadAllText($"/proc/{pid}/stat").Split(") ")[^1][0] == state,
        () => $"process {pid} ({CommandLine(pid)}) is in state {state}");

    /// <summary>It does nothing until the answer is disposed.</summary>
    public static IDisposable Pause(int pid) => new Paused(pid);

    /// <summary>Paths of the files that it has open, as often as it has.</summary>
    public static IEnumerable<string?> FilesOpen(int pid) =>
        Directory.GetFiles($"/proc/{pid}/fd").Select(descriptor => new FileInfo(descriptor).LinkTarget);

    /// <summary>Bytes that its write system calls have written, to files above all: sockets are sent to.</summary>
    public static long BytesWritten(int pid) => Io(pid, "wchar:");

    /// <summary>Bytes that its read system calls have read, from pipes too.</summary>
    public static long BytesRead(int pid) => Io(pid, "rchar:");

    /// <summary>Memory that it has now, proc_pid_status(5).</summary>
    public static long ResidentMebibytes(int pid)
    {
        var line = File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;
    }

    /// <summary>Its words parted by single blanks; empty when there is no such process.</summary>
    public static string CommandLine(int pid) => CommandLine($"/proc/{pid}");

    /// <summary>Waits until its session has computed for a while, and expects that it got no more than its share of the processors.</summary>
    /// <param name="pid">A tool that computes without end.</param>
    /// <param name="cpus">As <c>--cpus</c> has it.</param>
    /// <param name="started">A timestamp from before it was started.</param>
    public static async Task IsHeldTo(int pid, double cpus, long started)
    {
        var used = TimeSpan.Zero;
        await Eventually.Holds(() => (used = ProcessorTimeOfCgroup(pid)) > TimeSpan.FromSeconds(0.2), "the tool has computed for a while");
        // Of the period of a tenth of a second that goes on all may be used up; another one is for the accuracy of the kernel.
        Assert.InRange(used, TimeSpan.Zero, cpus * (TimeProvider.System.GetElapsedTime(started) + TimeSpan.FromSeconds(0.2)));
    }

    /// <summary>Of everything that is or was in its cgroup of version 2.</summary>
    private static TimeSpan ProcessorTimeOfCgroup(int pid)
    {
        var cgroup = File.ReadLines($"/proc/{pid}/cgroup").Single(line => line.StartsWith("0::", StringComparison.Ordinal))[3..];
        var hierarchy = HostState.CgroupHierarchies().Single(mountPoint => File.Exists($"{mountPoint}/cgroup.controllers"));
        var usage = File.ReadLines($"{hierarchy}{cgroup}/cpu.stat").First()["usage_usec ".Length..];
        return TimeSpan.FromMicroseconds(long.Parse(usage, CultureInfo.InvariantCulture));
    }

    private static long Io(int pid, string field) => long.Parse(
        File.ReadLines($"/proc/{pid}/io").First(line => line.StartsWith(field, StringComparison.Ordinal))[field.Length..],
        CultureInfo.InvariantCulture);

    private static string CommandLine(string directory)
    {
        try
        {
            return File.ReadAllText($"{directory}/cmdline").TrimEnd('\0').Replace('\0', ' ');
        }
        catch (IOException)
        {
            return "";
        }
    }

    private sealed class Paused : IDisposable
    {
        private readonly int _pid;

        public Paused(int pid)
        {
            _pid = pid;
            Signal(LibC.SIGSTOP);
        }

        public void Dispose() => Signal(LibC.SIGCONT);

        private void Signal(int signal)
        {
            if (LibC.kill(_pid, signal) != 0 && LibC.errno != LibC.ESRCH)
                throw new InvalidOperationException($"kill({_pid}, {signal}): errno {LibC.errno}");
        }
    }
}
