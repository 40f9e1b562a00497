namespace Crashcart.Image.Tests;

public sealed class SelfCheckTests
{
    [Fact]
    public void Lists_everything_that_would_fail_in_a_container()
    {
        var tree = new Tree();
        tree["bin/tool"] = new TreeFile("p", SmallElf.Make("/lib64/ld.so", ["libgone.so"], "/usr/lib/x"), true);
        tree["bin/plain"] = new TreeFile("p", [], Executable: false);
        tree["bin/lost"] = new TreeLink("p", "bin/nothing");
        var promised = new Dictionary<string, string?> { ["tool"] = null, ["plain"] = null, ["missing"] = null };

        var error = Assert.Throws<ImageBuildException>(
            () => SelfCheck.CheckFiles(tree, new Recipe { Name = "x", Executables = promised }, Architecture.Amd64));

        Assert.Equal(
            """
            The image would not work:
              bin/tool asks for /lib64/ld.so
              bin/tool looks for libraries in /usr/lib/x
              bin/tool needs libgone.so, which the image lacks
              bin/lost is a link to bin/nothing, which the image lacks
              bin/plain is promised and no package gives it, or nothing here can run it
              bin/missing is promised and no package gives it, or nothing here can run it
            """, error.Message);
    }

    [Theory]
    [InlineData("/usr/share/tool", "bin/tool names /usr/share/tool, which the image has elsewhere: edit it, or list it below lint-allow")]
    [InlineData("/usr/share/tool/", "bin/tool names /usr/share/tool/, which")]
    [InlineData("/usr/lib/x86_64-linux-gnu/tool", "bin/tool names /usr/lib/x86_64-linux-gnu/tool, which")]
    [InlineData("/etc/tool.conf", "bin/tool names /etc/tool.conf, which")]
    [InlineData("/usr/share/allowed", null)]
    [InlineData("/usr/share/of-the-container", null)]
    [InlineData("/usr/share", null)]
    [InlineData("/usr/bin/tool", null)]
    [InlineData("see /usr/share/tool", null)]
    [InlineData("/dev/crashcart/share/tool", null)]
    public void A_program_that_looks_for_the_images_files_in_the_container_is_named(string text, string? fault)
    {
        var tree = new Tree();
        tree["bin/tool"] = new TreeFile("p", SmallElf.Make(text: text), true);
        foreach (var path in (string[])["share/tool/data", "share/allowed/data", "lib/tool/data", "etc/tool.conf"])
            tree[path] = new TreeFile("p", [], Executable: false);
        var allowed = new Dictionary<string, IReadOnlyList<string>> { ["bin/*"] = ["/usr/share/allowed"], ["lib/*"] = ["/usr/share/tool"] };

        var error = Record.Exception(
            () => SelfCheck.CheckFiles(tree, new Recipe { Name = "x", LintAllow = allowed }, Architecture.Amd64));

        Assert.Equal(fault is null, error is null);
        Assert.Contains(fault ?? "", error?.Message ?? "", StringComparison.Ordinal);
    }
}
