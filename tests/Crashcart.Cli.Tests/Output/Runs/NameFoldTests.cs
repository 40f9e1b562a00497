using Crashcart.Cli.Output.Runs;

namespace Crashcart.Cli.Tests.Output.Runs;

public sealed class NameFoldTests
{
    [Theory]
    [InlineData("n/web", "n/web")]
    [InlineData("n/web-1 n/web-2 n/web-3", "n/web-[1-3]")]
    [InlineData("n/web-3 n/web-1", "n/web-[1,3]")]
    [InlineData("n/web-1 n/web-2 n/web-4 n/web-10", "n/web-[1-2,4,10]")]
    [InlineData("n/web-08 n/web-09 n/web-10 n/web-100", "n/web-[08-10],n/web-100")]
    [InlineData("n1/web-1 n1/web-2 n2/web-1 n2/web-2", "n[1-2]/web-[1-2]")]
    [InlineData("n1/web-1 n1/web-2 n2/web-1", "n1/web-[1-2],n2/web-1")]
    [InlineData("n/web-1 n/db-1", "n/db-1,n/web-1")]
    [InlineData("n/12345678901 n/12345678902", "n/12345678901,n/12345678902")]
    [InlineData("n/a n/a", "n/a")]
    [InlineData("n/1a2 n/1a3 n/2a2 n/2a3", "n/[1-2]a[2-3]")]
    public void Names_that_differ_in_numbers_are_one_word(string names, string folded) => Assert.Equal(folded, NameFold.Of(names.Split(' ')));

    [Fact]
    public void A_thousand_names_are_one_word() =>
        Assert.Equal("node-[1-10]/web-[1-100]", NameFold.Of(
            from node in Enumerable.Range(1, 10) from container in Enumerable.Range(1, 100) select $"node-{node}/web-{container}"));
}
