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
}
