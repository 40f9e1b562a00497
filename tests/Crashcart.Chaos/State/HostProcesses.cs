using System.Globalization;
using Crashcart.Chaos.Fleet;

namespace Crashcart.Chaos.State;

/// <param name="State">As proc(5) has it: R, S, T, Z, …</param>
/// <param name="Name">At most 15 characters.</param>
internal sealed record ProcessEntry(int Pid, int Parent, char State, string Name)
{
    public const char Zombie = 'Z';
    public const char Stopped = 'T';
}

/// <summary>Every process of the campaign's PID namespace, as it was when they were read.</summary>
internal sealed class HostProcesses
{
    private const string EnterName = "crashcart-enter";
    private const string ReaperName = "crashcart-reap";

    private readonly Dictionary<int, ProcessEntry> _all = [];

    public IEnumerable<ProcessEntry> All => _all.Values;

    public IEnumerable<ProcessEntry> Guardians => Living.Where(process => process.Name == EnterName && NameOf(process.Parent) != EnterName);

    public IEnumerable<ProcessEntry> Entrants => Living.Where(process => process.Name == EnterName && NameOf(process.Parent) == EnterName);

    public IEnumerable<ProcessEntry> Reapers => Living.Where(process => process.Name == ReaperName);

    public IEnumerable<ProcessEntry> Tools => Living.Where(process => NameOf(process.Parent) == ReaperName);

    public IEnumerable<ProcessEntry> Stopped => _all.Values.Where(process => process.State == ProcessEntry.Stopped);

    private IEnumerable<ProcessEntry> Living => _all.Values.Where(process => process.State != ProcessEntry.Zombie);

    public static HostProcesses Read()
    {
        var processes = new HostProcesses();
        foreach (var directory in Directory.GetDirectories("/proc"))
        {
            if (char.IsAsciiDigit(directory["/proc/".Length]) && TryRead($"{directory}/stat") is { } text)
            {
                var entry = Parse(text);
                processes._all.Add(entry.Pid, entry);
            }
        }
        return processes;
    }

    /// <summary>Those that run that program.</summary>
    public IEnumerable<ProcessEntry> Of(string program) =>
        Living.Where(process => new FileInfo($"/proc/{process.Pid}/exe") is var exe && TryLink(exe) == program);

    /// <summary>
    /// A tool whose reaper was killed is a child of the container's first process, by the kernel's rule: a zombie, where that
    /// one reaps nothing, until the container ends.
    /// </summary>
    public static bool IsOrphanOf(ProcessEntry process, IEnumerable<Box> boxes) =>
        process.State == ProcessEntry.Zombie && boxes.Any(box => !box.Reaps && box.Pid == process.Parent);

    public string NameOf(int pid) => _all.TryGetValue(pid, out var process) ? process.Name : "";

    /// <summary>For a report: its command line, when it has one.</summary>
    public static string Describe(ProcessEntry process) =>
        $"{process.Name} {process.Pid}, state {process.State}, parent {process.Parent}: "
        + (TryRead($"/proc/{process.Pid}/cmdline") ?? "").Replace('\0', ' ').Trim();

    private static ProcessEntry Parse(string stat)
    {
        // The name is in brackets, and may have any character in it.
        var (begin, end) = (stat.IndexOf('(', StringComparison.Ordinal), stat.LastIndexOf(')'));
        var fields = stat[(end + 2)..].Split(' ');
        return new ProcessEntry(Number(stat[..begin]), Number(fields[1]), fields[0][0], stat[(begin + 1)..end]);
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string? TryRead(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static string? TryLink(FileInfo exe)
    {
        try
        {
            return exe.LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
