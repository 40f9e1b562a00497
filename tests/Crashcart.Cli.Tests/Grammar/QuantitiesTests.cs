using Crashcart.Cli.Grammar;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Grammar;

public sealed class QuantitiesTests
{
    [Theory]
    [InlineData("4096", 4096)]
    [InlineData("64k", 65536)]
    [InlineData("512M", 512L << 20)]
    [InlineData("1GiB", 1L << 30)]
    [InlineData("2TB", 2L << 40)]
    public void Sizes_are_powers_of_1024(string text, long bytes) => Assert.Equal(bytes, Quantities.Bytes("--memory", text));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("1.5G")]
    [InlineData("1X")]
    [InlineData("1GM")]
    [InlineData("9999999999999G")]
    public void What_is_no_size_is_refused(string text) => Assert.Throws<CrashcartException>(() => Quantities.Bytes("--memory", text));

    [Theory]
    [InlineData("10", 10_000)]
    [InlineData("90s", 90_000)]
    [InlineData("1m30s", 90_000)]
    [InlineData("250ms", 250)]
    [InlineData("2h", 7_200_000)]
    public void Times_have_units(string text, long milliseconds) =>
        Assert.Equal(milliseconds, Quantities.Duration("--timeout", text).TotalMilliseconds);

    [Theory]
    [InlineData("")]
    [InlineData("0s")]
    [InlineData("s")]
    [InlineData("5x")]
    [InlineData("1.5s")]
    [InlineData("-1s")]
    [InlineData("9999999d")]
    [InlineData("99999999999s")]
    public void What_is_no_time_is_refused(string text) => Assert.Throws<CrashcartException>(() => Quantities.Duration("--timeout", text));

    [Theory]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("many")]
    public void What_is_no_count_is_refused(string text) => Assert.Throws<CrashcartException>(() => Quantities.Count("--parallel", text));

    [Theory]
    [InlineData("2", 2_000_000_000)]
    [InlineData("0.5", 500_000_000)]
    [InlineData(".25", 250_000_000)]
    [InlineData("0.01", 10_000_000)]
    [InlineData("8192", 8_192_000_000_000)]
    public void Processors_are_decimal(string text, long nano) => Assert.Equal(nano, Quantities.NanoCpus("--cpus", text));

    [Theory]
    [InlineData("")]
    [InlineData("0")]
    [InlineData("0.009")]
    [InlineData("-1")]
    [InlineData("1,5")]
    [InlineData("50%")]
    [InlineData("1e3")]
    [InlineData("8192.1")]
    [InlineData("79228162514264337593543950335")]
    [InlineData("99999999999999999999999999999999999")]
    public void What_is_no_number_of_processors_is_refused(string text) =>
        Assert.Throws<CrashcartException>(() => Quantities.NanoCpus("--cpus", text));

    [Fact]
    public void Several_selectors_are_one() => Assert.Equal("app=web,env in (a,b)", Commands.CommonOptions.Join(["app=web", " ", "env in (a,b) "]));
}
