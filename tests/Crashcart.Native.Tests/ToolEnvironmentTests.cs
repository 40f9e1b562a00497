namespace Crashcart.Native.Tests;

public sealed class ToolEnvironmentTests
{
    private const string Usual = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

    [Theory]
    [InlineData("A=1\0PATH=/opt/bin:/bin\0", "/opt/bin:/bin")]
    [InlineData("A=1\0", Usual)]
    [InlineData("PATH=\0", Usual)]
    [InlineData("PATH=bin:/bin\0", Usual)]
    [InlineData("PATH=/bin::/sbin\0", Usual)]
    [InlineData("PATH=/bin\u001b[31m\0", Usual)]
    [InlineData(null, Usual)]
    public void The_container_s_path_is_used_when_it_is_sane(string? environment, string expected) =>
        Assert.Equal("/dev/crashcart/bin:/dev/crashcart/sbin:" + expected, string.Join(':', ToolEnvironment.SearchPath(environment)));

    [Fact]
    public void A_tool_with_a_terminal_has_a_type_of_it_and_additions_win()
    {
        var spec = new ToolSpec { Arguments = ["sh"], SessionName = "x", Terminal = new TerminalSize(1, 1), Environment = ["TERM=dumb", "X="] };
        Assert.Equal(["LANG=C.UTF-8", "PATH=/bin", "TERM=dumb", "X="], ToolEnvironment.Variables(spec, ["/bin"]).Order(StringComparer.Ordinal));
        Assert.Contains("TERM=xterm", ToolEnvironment.Variables(spec with { Environment = [] }, ["/bin"]));
    }
}
