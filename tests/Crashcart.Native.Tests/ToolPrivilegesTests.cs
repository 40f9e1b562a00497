namespace Crashcart.Native.Tests;

public sealed class ToolPrivilegesTests
{
    [Theory]
    [InlineData("debug", "yes", "all but open_by_handle_at", "yes", "-")]
    [InlineData("restricted", "yes", "a container's", "-", "-")]
    [InlineData("privileged", "no", "all", "yes", "-")]
    public async Task What_is_explained_is_what_the_tool_gets(string profile, string noNewPrivileges, string calls, string handles, string handlesOfContainer)
    {
        using var box = new Toolbox(without: "-dac_read_search,-sys_ptrace");
        ToolSpec spec = box.Spec("cat", "/proc/self/status") with { Profile = profile };

        Dictionary<string, string[]> rows = Rows(ToolPrivileges.Explain(box.Target, spec));

        Assert.Equal([profile, "-"], rows["profile"]);
        Assert.Equal([noNewPrivileges, "no"], rows["no new privileges"]);
        Assert.Equal([calls, "all"], rows["system calls"]);
        Assert.Equal([handles, handlesOfContainer], rows.GetValueOrDefault("CAP_DAC_READ_SEARCH", ["-", "-"]));
        string status = (await box.RunAsync(spec)).Output;
        ulong bounding = Convert.ToUInt64(ProcFile.Field(status, "CapBnd"), 16);
        Assert.Equal(bounding, Capabilities.Mask(rows.Where(row => row.Key.StartsWith("CAP_", StringComparison.Ordinal) && row.Value[0] == "yes").Select(row => row.Key)));
        Assert.Equal(noNewPrivileges == "yes" ? "1" : "0", ProcFile.Field(status, "NoNewPrivs"));
        Assert.Equal(calls == "all" ? "0" : "2", ProcFile.Field(status, "Seccomp"));
    }

    private static Dictionary<string, string[]> Rows(string table) => table
        .Split('\n', StringSplitOptions.RemoveEmptyEntries)
        .Select(line => line.Split("  ", StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        .ToDictionary(cells => cells[0], cells => cells[1..]);
}
