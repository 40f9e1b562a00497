using System.Globalization;
using System.Numerics;
using System.Text;

namespace Crashcart.Native;

/// <summary>What a tool would be allowed, beside what its container is, for people.</summary>
public static class ToolPrivileges
{
    private const string Header = "PRIVILEGE";
    private const string None = "-";

    /// <summary>A table, of a line for each privilege.</summary>
    /// <param name="target">A process of the container.</param>
    /// <exception cref="CrashcartException">Unknown profile or capability; the process is gone.</exception>
    public static string Explain(TargetProcess target, ToolSpec spec)
    {
        ToolCapabilities tool = Capabilities.For(spec, target.BoundingSet);
        string status = target.TryReadProc("status")
            ?? throw new CrashcartException(FailureReason.TargetGone, $"Process {target.Pid} ended: look for its container again.");
        string label = SecurityLabel.Of(target)?.Name ?? None;
        bool isPrivileged = spec.BaseProfile == "privileged";
        List<(string Privilege, string Tool, string Container)> rows =
        [
            (Header, "TOOL", "CONTAINER"),
            ("profile", spec.Definition is null ? spec.Profile : $"{spec.Profile} ({spec.BaseProfile})", None),
            ("user", spec.User ?? "0:0", Ids(status)),
            ("user namespace", "the container's", target.Namespaces.OwnUserNamespace ? "its own" : "the host's"),
            ("no new privileges", YesOrNo(tool.NoNewPrivileges), YesOrNo(ProcFile.Field(status, "NoNewPrivs") == "1")),
            ("system calls", Calls(tool.SystemCalls), ProcFile.Field(status, "Seccomp") == "2" ? "filtered" : "all"),
            ("security label", isPrivileged ? None : label, label),
            ("devices", isPrivileged ? "all" : "the container's", "by its cgroup"),
            ("memory limit", spec.Limits.MemoryBytes is { } bytes ? string.Create(CultureInfo.InvariantCulture, $"{bytes} bytes") : None, None),
            ("process limit", (spec.Limits.Processes ?? spec.Limits.CheapProcesses)?.ToString(CultureInfo.InvariantCulture) ?? None, None),
        ];
        ulong either = tool.Bounding | target.BoundingSet;
        for (ulong left = either; left != 0; left &= left - 1)
        {
            int bit = BitOperations.TrailingZeroCount(left);
            rows.Add(($"CAP_{Capabilities.NameOf(bit)}", Has(tool.Bounding, bit), Has(target.BoundingSet, bit)));
        }

        return Table(rows);
    }

    private static string Table(IReadOnlyList<(string Privilege, string Tool, string Container)> rows)
    {
        int first = rows.Max(row => row.Privilege.Length) + 2, second = rows.Max(row => row.Tool.Length) + 2;
        var text = new StringBuilder();
        foreach ((string privilege, string tool, string container) in rows)
            text.Append(privilege.PadRight(first)).Append(tool.PadRight(second)).Append(container).Append('\n');
        return text.ToString();
    }

    private static string Calls(SystemCalls calls) => calls switch
    {
        SystemCalls.OfContainers => "a container's",
        SystemCalls.NoFileHandles => "all but open_by_handle_at",
        _ => "all",
    };

    /// <summary>Its real ids, as the host counts them.</summary>
    private static string Ids(string status) => $"{First(status, "Uid")}:{First(status, "Gid")}";

    private static string First(string status, string field) => (ProcFile.Field(status, field) ?? "").Split('\t', ' ')[0];

    private static string YesOrNo(bool value) => value ? "yes" : "no";

    private static string Has(ulong set, int bit) => (set >> bit & 1) != 0 ? "yes" : None;
}
