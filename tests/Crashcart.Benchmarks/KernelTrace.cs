using System.Globalization;
using System.Text.RegularExpressions;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Benchmarks;

/// <param name="At">Since the host was started.</param>
/// <param name="Process">0 where the kernel has forgotten it.</param>
/// <param name="Name">Of the system call, or <c>sched_process_exec</c> and the like.</param>
internal readonly record struct KernelEvent(TimeSpan At, string Command, int Thread, int Process, string Name, string Arguments);

/// <summary>What all processes of the host ask of the kernel, and when: an instance of ftrace of our own, which costs a microsecond an event.</summary>
/// <remarks>https://www.kernel.org/doc/html/latest/trace/ftrace.html#instances</remarks>
internal sealed partial class KernelTrace : IDisposable
{
    private const string Instances = "/sys/kernel/tracing/instances";

    private readonly string _instance = Path.Combine(Instances, $"crashcart-bench-{Environment.ProcessId}");
    private readonly string[] _events;

    private KernelTrace(string[] systemCalls)
    {
        _events = [.. systemCalls.Select(call => $"syscalls/sys_enter_{call}"), "sched/sched_process_exec", "sched/sched_process_exit"];
        Directory.CreateDirectory(_instance);
        Write("buffer_size_kb", "8192");
        Write("options/record-tgid", "1");
        Write("trace_clock", "mono");
        foreach (var traced in _events)
            Write($"events/{traced}/enable", "1");
    }

    /// <summary>Null where the kernel has no such events.</summary>
    public static KernelTrace? TryStart(params string[] systemCalls) =>
        Directory.Exists(Instances) && Directory.Exists("/sys/kernel/tracing/events/syscalls") ? new KernelTrace(systemCalls) : null;

    /// <summary>The kernel forgets what it has when the file is opened with O_TRUNC, which .NET does not do.</summary>
    public Task Clear() => new Command("sh", "-c", ": >\"$0\"", Path.Combine(_instance, "trace")).Output();

    /// <summary>In order of time.</summary>
    public IReadOnlyList<KernelEvent> Read() =>
        [.. File.ReadLines(Path.Combine(_instance, "trace")).Select(line => Line().Match(line)).Where(line => line.Success).Select(Parse).OrderBy(traced => traced.At)];

    public void Dispose()
    {
        foreach (var traced in _events)
            Write($"events/{traced}/enable", "0");
        Directory.Delete(_instance);
    }

    private static KernelEvent Parse(Match line) => new(
        TimeSpan.FromSeconds(double.Parse(line.Groups["at"].Value, CultureInfo.InvariantCulture)),
        line.Groups["command"].Value.Trim(),
        int.Parse(line.Groups["thread"].Value, CultureInfo.InvariantCulture),
        int.TryParse(line.Groups["process"].Value, CultureInfo.InvariantCulture, out var process) ? process : 0,
        line.Groups["name"].Value,
        line.Groups["arguments"].Value);

    private void Write(string file, string text) => File.WriteAllText(Path.Combine(_instance, file), text);

    [GeneratedRegex(@"^(?<command>.+)-(?<thread>\d+)\s+\(\s*(?<process>\d+|-+)\) \[\d+\] \S+\s+(?<at>[\d.]+): (sys_)?(?<name>\w+)[:(] ?(?<arguments>.*)$")]
    private static partial Regex Line();
}
