using System.Globalization;
using System.Text.RegularExpressions;

namespace Crashcart.Native.Tests.Hostile;

public sealed partial class SystemCallTests
{
    private static readonly string[] Denied =
    [
        "add_key", "keyctl", "request_key", "io_uring_setup", "userfaultfd", "unshare", "setns", "open_tree", "perf_event_open",
        "process_madvise", "mbind", "clone", "personality", "vsock",
    ];

    [Fact]
    public async Task A_restricted_tool_makes_no_call_that_a_container_may_not_make()
    {
        Dictionary<string, string> results = await Results("restricted", capDrop: ["SYS_ADMIN", "SYS_PTRACE", "SYS_NICE", "PERFMON"]);
        foreach (string call in Denied)
            Assert.Equal((call, "EPERM"), (call, results[call]));
        Assert.Equal(("ENOSYS", "ENOSYS"), (results["clone3"], results["newer"]));
        Assert.Equal(("made", "made", "made"), (results["getpid"], results["unix"], results["personality-asked"]));
        // The container has CAP_SYS_CHROOT.
        Assert.Equal("refused", results["chroot"]);
    }

    [Fact]
    public async Task What_the_container_has_the_capability_for_a_restricted_tool_may_do()
    {
        Dictionary<string, string> results = await Results("restricted");
        Assert.Equal(("made", "refused", "refused"), (results["unshare"], results["setns"], results["clone3"]));
        Assert.Equal("EPERM", results["keyctl"]);
    }

    [Fact]
    public async Task A_debugger_makes_the_calls_of_debuggers()
    {
        Dictionary<string, string> results = await Results("debug", without: "-dac_read_search");
        Assert.All((string[])["unshare", "personality", "personality-asked", "getpid"], call => Assert.Equal((call, "made"), (call, results[call])));
        Assert.Equal(("refused", "refused"), (results["keyctl"], results["clone3"]));
    }

    [Theory]
    [InlineData("asm/unistd_64.h", false)]
    [InlineData("asm-generic/unistd.h", true)]
    public void The_numbers_are_those_of_the_kernels_headers(string header, bool arm)
    {
        string path = Shell.Run("sh", "-c", $"echo '#include <{header}>' | cc -E -dM -D__ARCH_WANT_SET_GET_RLIMIT -D__BITS_PER_LONG=64 -xc - | sort").TrimEnd();
        Dictionary<string, uint> theirs = [];
        foreach (Match match in Defined().Matches(path))
            theirs[match.Groups[1].Value] = uint.Parse(match.Groups[2].Value, CultureInfo.InvariantCulture);
        Assert.True(theirs.Count > 200, path);
        foreach (SyscallRule rule in SyscallFilter.Rules)
        {
            if (rule.NumberOn(arm) is { } number && theirs.TryGetValue(rule.Name, out uint theirNumber))
                Assert.Equal((rule.Name, theirNumber), (rule.Name, number));
            else
                Assert.False(theirs.ContainsKey(rule.Name), rule.Name);
        }
    }

    private static async Task<Dictionary<string, string>> Results(string profile, string? without = null, params IReadOnlyList<string> capDrop)
    {
        using var box = new Toolbox(without: without, program: "calls");
        ToolResult result = await box.RunAsync(box.Spec("/bin/calls") with { Profile = profile, CapDrop = capDrop });
        Assert.Equal((0, ""), (result.Exit.Code, result.Errors));
        return result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' ')).ToDictionary(words => words[0], words => words[1]);
    }

    [GeneratedRegex("#define __NR(?:3264)?_([a-z0-9_]+) ([0-9]+)$", RegexOptions.Multiline)]
    private static partial Regex Defined();
}
