using System.Globalization;

namespace Crashcart.Native.Tests;

public sealed class CapabilitiesTests
{
    private const ulong DockerDefault = 0xa80425fb;
    private static readonly ulong Own = ulong.Parse(
        ProcFile.Field(File.ReadAllText("/proc/self/status"), "CapBnd")!, NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    [Fact]
    public void Restricted_is_what_the_container_has() =>
        Assert.Equal(DockerDefault & Own, For(Spec("restricted")).Bounding);

    [Fact]
    public void Debug_adds_what_debuggers_and_sniffers_need()
    {
        ulong added = For(Spec("debug")).Bounding & ~DockerDefault;
        Assert.Equal(Capabilities.Mask(["SYS_PTRACE", "NET_ADMIN", "DAC_READ_SEARCH", "PERFMON", "SYSLOG"]) & Own, added);
    }

    [Fact]
    public void Privileged_is_all_that_the_caller_may_give()
    {
        ToolCapabilities capabilities = For(Spec("privileged"));
        Assert.Equal(Own, capabilities.Bounding);
        Assert.False(capabilities.NoNewPrivileges);
    }

    [Theory]
    [InlineData("NET_RAW")]
    [InlineData("cap_net_raw")]
    [InlineData("Cap_Net_Raw")]
    public void Names_are_taken_in_every_usual_spelling(string name) => Assert.Equal(1UL << 13, Capabilities.Mask([name]));

    [Fact]
    public void Added_ones_are_ambient_and_dropped_ones_win()
    {
        ToolCapabilities capabilities = For(Spec("restricted") with { CapAdd = ["SYS_PTRACE", "NET_RAW"], CapDrop = ["NET_RAW"] });
        Assert.Equal(1UL << 19, capabilities.Ambient);
        Assert.Equal(0UL, capabilities.Bounding & (1UL << 13));
    }

    [Fact]
    public void Every_capability_of_this_kernel_has_a_name()
    {
        int last = int.Parse(File.ReadAllText("/proc/sys/kernel/cap_last_cap"), CultureInfo.InvariantCulture);
        Assert.Equal(1UL << last, Capabilities.Mask(["CHECKPOINT_RESTORE"]));
    }

    [Fact]
    public void An_unknown_name_is_refused_with_a_hint()
    {
        CrashcartException e = Assert.Throws<CrashcartException>(() => Capabilities.Mask(["PTRACE"]));
        Assert.Equal((FailureReason.BadRequest, "There is no capability 'PTRACE': perhaps SYS_PTRACE was meant."), (e.Reason, e.Message));
    }

    private static ToolSpec Spec(string profile) => new() { Arguments = ["true"], SessionName = "x", Profile = profile };

    private static ToolCapabilities For(ToolSpec spec) => Capabilities.For(spec, DockerDefault);
}
