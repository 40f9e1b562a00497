using System.Text;

namespace Crashcart.Image.Tests;

public sealed class TextEditTests
{
    private static readonly TextEdit OfReleases = new("bin/x", [new("/etc/old", "/b", 2), new("/etc/newer", "/c", 1)]);

    [Fact]
    public void A_constant_is_replaced_only_whole()
    {
        var content = "\0/etc/terminfo\0/etc/terminfo/x\0x/etc/terminfo\0"u8.ToArray();
        var after = new TextEdit("x", "/etc/terminfo", "/dev", 1).Apply(content);
        Assert.Equal("\0/dev\0\0\0\0\0\0\0\0\0\0/etc/terminfo/x\0x/etc/terminfo\0", Encoding.ASCII.GetString(after));
    }

    [Theory]
    [InlineData("nothing here", 0)]
    [InlineData("\0/etc/a\0\0/etc/a\0", 2)]
    public void A_constant_that_occurs_another_number_of_times_stops_the_build(string content, int found)
    {
        var error = Assert.Throws<ImageBuildException>(() => Apply(new TextEdit("bin/x", "/etc/a", "/b", 1), content));
        Assert.StartsWith(
            $"Looked for the text '/etc/a' in bin/x and found it {found} times where 1 is right: ", error.Message);
    }

    [Theory]
    [InlineData("\0/etc/old\0\0/etc/old\0", "\0/b\0\0\0\0\0\0\0\0/b\0\0\0\0\0\0\0")]
    [InlineData("\0/etc/newer\0", "\0/c\0\0\0\0\0\0\0\0\0")]
    public void Of_variants_that_which_is_there_is_replaced(string content, string expected)
        => Assert.Equal(expected, Apply(OfReleases, content));

    /// <summary>No release is known that has both, and of a third one nothing is known.</summary>
    [Theory]
    [InlineData("\0/etc/newest\0", 0, 0)]
    [InlineData("\0/etc/old\0", 1, 0)]
    [InlineData("\0/etc/newer\0\0/etc/newer\0", 0, 2)]
    [InlineData("\0/etc/old\0\0/etc/newer\0", 1, 1)]
    [InlineData("\0/etc/old\0\0/etc/old\0\0/etc/newer\0", 2, 1)]
    public void A_file_that_fits_no_variant_or_several_stops_the_build(string content, int old, int newer)
    {
        var error = Assert.Throws<ImageBuildException>(() => Apply(OfReleases, content));
        Assert.StartsWith(
            $"Looked for the text '/etc/old' in bin/x and found it {old} times where 2 is right, and for the text '/etc/newer' in bin/x and found it "
            + $"{newer} times where 1 is right: this version of the package is not known", error.Message);
    }

    [Fact]
    public void An_optional_constant_may_be_missing_and_still_has_its_number_where_it_is()
    {
        var edit = new TextEdit("bin/x", "/etc/a", "/b", 1) { Optional = true };
        Assert.Equal("none", Apply(edit, "none"));
        Assert.Equal("\0/b\0\0\0\0\0", Apply(edit, "\0/etc/a\0"));
        Assert.Throws<ImageBuildException>(() => Apply(edit, "\0/etc/a\0\0/etc/a\0"));
    }

    private static string Apply(TextEdit edit, string content) => Encoding.ASCII.GetString(edit.Apply(Encoding.ASCII.GetBytes(content)));
}
