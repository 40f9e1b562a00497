using System.Runtime.InteropServices;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>All uses of the default image's tools.</summary>
internal static class UseTable
{
    private static readonly char[] ShellSigns = [.. " \n|&;()<>'\"$`{}"];

    private static readonly string[] Builtins = ["echo", "false", "kill", "printf", "pwd", "test", "time", "true"];

    public static IReadOnlyList<Use> Uses { get; } =
    [
        .. ((IReadOnlyList<Use>[])[FileUses.All, TextUses.All, ProcessUses.All, DebugUses.All, SystemUses.All, NetworkUses.All])
            .SelectMany(uses => uses)
            .Where(use => use.Only is null || use.Only == RuntimeInformation.OSArchitecture),
    ];

    public static IReadOnlyList<Use> FullUses => Toolbox.FullUses.All;

    public static IReadOnlyList<TerminalUse> TerminalUses => [.. TerminalUseTable.All];

    /// <summary>What is run, and which tools it is to show.</summary>
    public static IEnumerable<(string Tools, string Line)> Lines =>
    [
        .. Uses.Concat(FullUses).Select(use => (use.Tools, use.Line)),
        .. TerminalUses.Select(use => (use.Tools, use.Line)),
        .. Service.All.Select(service => (service.Tool, service.Line)),
    ];

    public static IEnumerable<string> Tools => Lines.SelectMany(use => use.Tools.Split(' ')).Distinct();

    /// <summary>Whether a command line has the tool in it, and the shell does not do its work by itself.</summary>
    public static bool Runs(string line, string tool)
    {
        var words = line.Split(ShellSigns, StringSplitOptions.RemoveEmptyEntries);
        return Builtins.Contains(tool)
            ? words[0] == tool && !Use.NeedsShell(line) || line.Contains($"env {tool} ", StringComparison.Ordinal)
            : words.Contains(tool);
    }
}
