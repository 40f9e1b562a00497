using Crashcart.Cli.Copy;
using Crashcart.Native;

namespace Crashcart.Cli.Tests.Copy;

/// <summary>What the words of a copy mean.</summary>
public sealed class CopyWordsTests
{
    [Theory]
    [InlineData("web:/var/log", "web", "/var/log")]
    [InlineData("alpha/web:log", "alpha/web", "log")]
    [InlineData("web:/a:b", "web", "/a:b")]
    [InlineData("./a:b", null, "./a:b")]
    [InlineData("/a:b", null, "/a:b")]
    [InlineData("file", null, "file")]
    public void What_stands_before_a_colon_is_a_container(string word, string? target, string path) =>
        Assert.Equal(new CopyOperand(target, path), CopyOperand.Parse(word));

    [Theory]
    [InlineData("")]
    [InlineData("web:")]
    [InlineData(":/path")]
    public void Words_that_name_no_place_are_refused(string word) => Assert.Throws<CrashcartException>(() => CopyOperand.Parse(word));

    [Theory]
    [InlineData("/var/log", "/var", "log", false, false)]
    [InlineData("var/./log/", "/var", "log", false, true)]
    [InlineData("/var/log/.", "/var/log", "", true, true)]
    [InlineData("/var/../../etc/passwd", "/etc", "passwd", false, false)]
    [InlineData("/", "/", "", true, true)]
    [InlineData(".", "/", "", true, true)]
    public void Paths_in_a_container_begin_at_its_root(string path, string directory, string name, bool isContents, bool isDirectory) =>
        Assert.Equal(new ContainerFile(directory, name, isContents, isDirectory), ContainerFile.Parse(path));

    [Fact]
    public void The_kernels_own_files_are_refused_for_they_would_come_empty()
    {
        Assert.Throws<CrashcartException>(() => ContainerFile.Parse("/proc/1/maps").RequireCopyable());
        Assert.Equal("/process", ContainerFile.Parse("/process").RequireCopyable().Path);
    }
}
