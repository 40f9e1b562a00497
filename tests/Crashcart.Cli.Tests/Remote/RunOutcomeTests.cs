using Crashcart.Cli.Remote;

namespace Crashcart.Cli.Tests.Remote;

public sealed class RunOutcomeTests
{
    [Fact]
    public void All_zero_is_zero()
    {
        var outcome = new RunOutcome(2, 0);
        outcome.Exited(0, 0);
        outcome.Exited(1, 0);
        Assert.Equal(0, outcome.Status);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(124)]
    [InlineData(125)]
    [InlineData(137)]
    public void A_tool_s_own_number_is_only_ever_some_tool_failed(int code)
    {
        var outcome = new RunOutcome(1, 0);
        outcome.Exited(0, code);
        Assert.Equal(1, outcome.Status);
    }

    [Theory]
    [InlineData(new[] { 126 }, 1)]
    [InlineData(new[] { 127 }, 1)]
    [InlineData(new[] { 127, 124 }, 124)]
    [InlineData(new[] { 124, 125 }, 125)]
    [InlineData(new[] { 125, 124, 127 }, 125)]
    public void What_was_not_reached_outweighs_what_was_too_slow_outweighs_what_failed(int[] codes, int status)
    {
        var outcome = new RunOutcome(codes.Length, 0);
        for (var target = 0; target < codes.Length; target++)
            outcome.Failed(target, codes[target]);
        Assert.Equal(status, outcome.Status);
    }

    [Fact]
    public void Nothing_matched_is_3() => Assert.Equal(3, new RunOutcome(0, 0).Status);

    [Fact]
    public void A_node_that_did_not_answer_may_have_had_targets() => Assert.Equal(125, new RunOutcome(0, 1).Status);

    [Fact]
    public void A_target_whose_end_is_not_told_was_lost()
    {
        var outcome = new RunOutcome(2, 0);
        outcome.Exited(0, 0);
        Assert.Equal([1], outcome.Lost);
        Assert.Equal(125, outcome.Status);
    }
}
