namespace Crashcart.Image.Tests;

public sealed class LoaderVariablesTests
{
    private const uint Other = 0xd503201f;

    [Fact]
    public void On_arm64_the_two_letters_are_changed_and_nothing_else()
    {
        uint[] loader = [Other, Compare(5, 'L'), Other, Compare(6, 'D'), Other, Compare(7, '_'), Other];
        uint[] renamed = [Other, Compare(5, 'C'), Other, Compare(6, 'C'), Other, Compare(7, '_'), Other];
        Assert.Equal(Code(renamed), LoaderVariables.Rename(Code(loader), Architecture.Arm64));
    }

    [Fact]
    public void On_arm64_a_comparison_that_stands_alone_is_none()
    {
        uint[] loader = [Compare(1, 'L'), Compare(1, 'D'), Other, Compare(1, 'x'), .. Enumerable.Repeat(Other, 20), Compare(1, '_')];
        var error = Assert.Throws<ImageBuildException>(() => LoaderVariables.Rename(Code(loader), Architecture.Arm64));
        Assert.StartsWith("Looked for the test for LD_ variables in lib/ld.so and found it 0 times where 1 is right", error.Message);
    }

    [Fact]
    public void On_arm64_two_tests_stop_the_build()
    {
        uint[] test = [Compare(5, 'L'), Compare(6, 'D'), Compare(7, '_'), .. Enumerable.Repeat(Other, 20)];
        var error = Assert.Throws<ImageBuildException>(() => LoaderVariables.Rename(Code([.. test, .. test]), Architecture.Arm64));
        Assert.StartsWith("Looked for the test for LD_ variables in lib/ld.so and found it 2 times where 1 is right", error.Message);
    }

    /// <summary><c>cmp wREGISTER, #LETTER</c>.</summary>
    private static uint Compare(uint register, char letter) => 0x7100001f | (register << 5) | ((uint)letter << 10);

    private static byte[] Code(uint[] words) => [.. words.SelectMany(BitConverter.GetBytes)];
}
