using System.Diagnostics;

namespace Crashcart.Benchmarks;

/// <summary>What processes have of the machine.</summary>
/// <param name="Resident">Bytes of memory, shared pages too.</param>
/// <param name="Processor">Time since they started.</param>
internal readonly record struct ProcessUsage(long Resident, TimeSpan Processor)
{
    public double ResidentMiB => Resident / (1024.0 * 1024);

    public static ProcessUsage Of(params IEnumerable<int> pids) => pids.Select(One).Aggregate((sum, one) => sum + one);

    public static ProcessUsage operator +(ProcessUsage left, ProcessUsage right) =>
        new(left.Resident + right.Resident, left.Processor + right.Processor);

    public static ProcessUsage operator -(ProcessUsage left, ProcessUsage right) =>
        new(left.Resident - right.Resident, left.Processor - right.Processor);

    private static ProcessUsage One(int pid)
    {
        using var process = Process.GetProcessById(pid);
        return new ProcessUsage(process.WorkingSet64, process.TotalProcessorTime);
    }
}
