using System.Text.RegularExpressions;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>Reads what <c>strace -f</c> wrote.</summary>
internal static partial class SystemCallTrace
{
    /// <summary>Lines that signal a process by a PID that was waited for before, and so may be anybody's.</summary>
    public static IReadOnlyList<string> SignalsToReapedProcesses(IEnumerable<string> lines)
    {
        var reaped = new HashSet<string>();
        var late = new List<string>();
        foreach (var line in lines)
        {
            if (Reaped().Match(line) is { Success: true } wait)
                reaped.Add(wait.Groups["pid"].Value);
            if (Signalled().Match(line) is { Success: true } signal && reaped.Contains(signal.Groups["pid"].Value))
                late.Add(line);
        }
        return late;
    }

    [GeneratedRegex(@"wait(4|pid)\(.*= (?<pid>[1-9]\d*)$|waitid\((?!.*WNOWAIT).*si_pid=(?<pid>[1-9]\d*).*= 0$")]
    private static partial Regex Reaped();

    [GeneratedRegex(@" (kill|tkill|tgkill)\(-?(?<pid>\d+)")]
    private static partial Regex Signalled();
}
