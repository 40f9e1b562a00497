using System.Globalization;

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

    /// <summary>Its words parted by single blanks; empty when there is no such process.</summary>
    public static string CommandLine(int pid) => CommandLine($"/proc/{pid}");

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
}
