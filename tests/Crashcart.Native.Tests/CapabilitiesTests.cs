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

    [Theory]
    [InlineData("restricted", true)]
    [InlineData("debug", false)]
    public void A_defined_profile_has_its_bases_capabilities_and_more_and_less(string builtUpon, bool filters)
    {
        ulong raw = Capabilities.Mask(["NET_RAW"]), mknod = Capabilities.Mask(["MKNOD"]), admin = Capabilities.Mask(["NET_ADMIN"]);
        ToolSpec own = Spec("own") with { Definition = new ToolProfile(builtUpon, null, admin | raw, mknod, filters, NoNewPrivileges: true) };

        ToolCapabilities capabilities = For(own with { CapAdd = ["MKNOD", "IPC_LOCK"] });

        Assert.Equal((For(Spec(builtUpon)).Bounding | admin | raw | (Capabilities.Mask(["IPC_LOCK"]) & Own)) & ~mknod, capabilities.Bounding);
        Assert.Equal((admin | raw | Capabilities.Mask(["IPC_LOCK"])) & Own, capabilities.Ambient);
        Assert.True(capabilities.NoNewPrivileges);
        Assert.Equal(filters ? SystemCalls.OfContainers : SystemCalls.NoFileHandles, capabilities.SystemCalls);
    }

    [Fact]
    public void A_defined_profile_may_have_a_set_of_its_own()
    {
        ulong kill = Capabilities.Mask(["KILL"]);

        ToolCapabilities capabilities = For(Spec("own") with { Definition = new ToolProfile("restricted", kill, 0, 0, FiltersCalls: false, NoNewPrivileges: true) });

        Assert.Equal((kill, 0UL, SystemCalls.All), (capabilities.Bounding, capabilities.Ambient, capabilities.SystemCalls));
    }

    [Fact]
    public void A_definition_upon_nothing_is_refused() => Assert.Equal(
        "There is no profile 'all': choose restricted, debug or privileged.",
        Assert.Throws<CrashcartException>(() => For(Spec("own") with { Definition = new ToolProfile("all", 0, 0, 0, true, true) })).Message);

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
