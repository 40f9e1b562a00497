using System.Globalization;

namespace Crashcart.Native;

/// <summary>What is needed of /proc/PID/stat, proc_pid_stat(5).</summary>
/// <param name="Name">Up to 15 characters; the process chooses them.</param>
/// <param name="State">R, S, D, Z, T, t, X, I.</param>
/// <param name="StartTime">In clock ticks since boot.</param>
internal readonly record struct ProcessStat(string Name, char State, bool IsKernelThread, bool IsExiting, ulong StartTime)
{
    // linux/sched.h of the kernel itself
    private const uint PF_EXITING = 0x00000004;
    private const uint PF_KTHREAD = 0x00200000;

    /// <summary>The process has ended; only its exit status is left.</summary>
    public bool IsDead => State is 'Z' or 'X' or 'x';

    public static ProcessStat? TryRead(Descriptor process) => ProcFile.TryRead(process, "stat") is { } text ? Parse(text) : null;

    /// <exception cref="FormatException">Not the text of /proc/PID/stat.</exception>
    public static ProcessStat Parse(string text)
    {
        // The name may hold anything, parentheses and spaces too: the last ')' ends it.
        int open = text.IndexOf('(', StringComparison.Ordinal), close = text.LastIndexOf(')');
        string[] fields = close < 0 ? [] : text[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (open < 0 || close < open || fields.Length < 20)
            throw new FormatException($"Not the text of /proc/PID/stat: '{text}'");
        uint flags = uint.Parse(fields[6], CultureInfo.InvariantCulture);
        return new ProcessStat(
            text[(open + 1)..close], fields[0][0], (flags & PF_KTHREAD) != 0, (flags & PF_EXITING) != 0,
            ulong.Parse(fields[19], CultureInfo.InvariantCulture));
    }
}
