using Crashcart.Actors.Images;

namespace Crashcart.Actors.Tests.Images;

public sealed class ImageReferenceTests
{
    [Theory]
    [InlineData("toolbox", "toolbox:latest")]
    [InlineData("toolbox:2.1", "toolbox:2.1")]
    [InlineData("team/net-tools:v1_x.y-z", "team/net-tools:v1_x.y-z")]
    [InlineData("a__b.c---d", "a__b.c---d:latest")]
    public void Names_are_docker_s(string text, string name) =>
        Assert.Equal(name, Assert.IsType<ImageReference.Named>(ImageReference.TryParse(text, out _)).Name.Value);

    [Theory]
    [InlineData("")]
    [InlineData("Toolbox")]
    [InlineData("-toolbox")]
    [InlineData("tool..box")]
    [InlineData("tool___box")]
    [InlineData("/toolbox")]
    [InlineData("toolbox/")]
    [InlineData("../toolbox")]
    [InlineData("toolbox:")]
    [InlineData("toolbox:.x")]
    [InlineData("toolbox:a b")]
    [InlineData("toolbox:\n")]
    [InlineData("toolbox\n")]
    [InlineData("sha256:xyz")]
    [InlineData("sha256:")]
    [InlineData("sha256:ABC")]
    public void What_is_no_name_is_refused_in_a_sentence(string text)
    {
        Assert.Null(ImageReference.TryParse(text, out string problem));
        Assert.StartsWith($"'{text}' names no image: ", problem, StringComparison.Ordinal);
        Assert.EndsWith(".", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void The_longest_names_are_taken_and_longer_ones_are_not()
    {
        Assert.NotNull(ImageReference.TryParse($"{new string('a', 255)}:{new string('b', 128)}", out _));
        Assert.Null(ImageReference.TryParse(new string('a', 256), out _));
        Assert.Null(ImageReference.TryParse($"a:{new string('b', 129)}", out _));
    }

    [Fact]
    public void The_beginning_of_a_digest_matches_it()
    {
        Assert.True(ImageDigest.TryParse("sha256:" + new string('a', 64), out ImageDigest digest));

        Assert.True(Assert.IsType<ImageReference.Digest>(ImageReference.TryParse("sha256:aaa", out _)).Matches(digest));
        Assert.False(Assert.IsType<ImageReference.Digest>(ImageReference.TryParse("sha256:ab", out _)).Matches(digest));
    }

    [Fact]
    public void More_digits_than_a_digest_has_are_none() => Assert.Null(ImageReference.TryParse("sha256:" + new string('a', 65), out _));
}
