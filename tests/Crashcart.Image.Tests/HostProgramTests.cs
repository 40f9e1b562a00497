namespace Crashcart.Image.Tests;

public sealed class HostProgramTests
{
    [Fact]
    public void A_missing_program_is_named_with_its_package()
    {
        var error = Assert.Throws<MissingProgramException>(() => HostProgram.Find("mkfs.nothing", "nothing-utils"));
        Assert.Equal(
            "This needs the program mkfs.nothing, which is not installed: apt-get install nothing-utils", error.Message);
    }

    [Fact]
    public void A_failure_carries_what_the_program_said()
    {
        var error = Assert.Throws<ImageBuildException>(() => HostProgram.Find("sh", "dash").Run(["-c", "echo broken >&2; exit 3"]));
        Assert.EndsWith("/sh -c echo broken >&2; exit 3 failed with status 3: broken", error.Message);
    }

    [Fact]
    public void A_program_that_does_not_end_is_killed()
    {
        var (status, said) = HostProgram.Find("sh", "dash").Try(
            ["-c", "echo started; exec cat /dev/zero >/dev/null"], TimeSpan.FromMilliseconds(200), new Dictionary<string, string>());
        Assert.Null(status);
        Assert.Equal("started", said);
    }
}
