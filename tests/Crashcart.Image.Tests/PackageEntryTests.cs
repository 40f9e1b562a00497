namespace Crashcart.Image.Tests;

public sealed class PackageEntryTests
{
    [Theory]
    [InlineData("perf-a | perf-b", "perf-b other", "perf-b")]
    [InlineData("perf-a | perf-b", "perf-b perf-a", "perf-a")]
    [InlineData("libpython3.*-stdlib", "libpython3.13-stdlib libpython3.13-minimal", "libpython3.13-stdlib")]
    [InlineData("client-1?", "client-17 client-common", "client-17")]
    [InlineData("client-1?", "client-common", "")]
    public void Of_an_images_packages_an_entry_means_the_first_alternative_or_all_of_a_pattern(string entry, string packages, string expected)
        => Assert.Equal(expected, string.Join(' ', PackageEntry.Meant(entry, packages.Split(' '))));

    [Fact]
    public void Each_alternative_may_be_for_some_architectures()
    {
        const string entry = "perf-a [amd64] | perf-b [!amd64] | perf-c";
        Assert.Equal("perf-a | perf-c", PackageEntry.For(entry, Architecture.Amd64));
        Assert.Equal("perf-b | perf-c", PackageEntry.For(entry, Architecture.Arm64));
        Assert.Null(PackageEntry.For("perf-a [amd64]", Architecture.Arm64));
    }

    [Theory]
    [InlineData("a | ", "'' is not of the form 'name' or 'name [amd64]'")]
    [InlineData("a | b [i386]", "'i386' is no architecture of images: amd64 and arm64 are")]
    [InlineData("a | b-*", "'a | b-*' is a pattern, and so cannot be one of several: apt is not asked for it")]
    public void An_entry_that_says_nothing_sensible_is_told(string entry, string fault)
        => Assert.Equal(fault, PackageEntry.Fault(entry));
}
