namespace Crashcart.Image.Tests;

public sealed class LibrariesTests
{
    private readonly Tree _tree = new();

    [Fact]
    public void Only_libraries_that_something_loads_stay()
    {
        Put("bin/tool", SmallElf.Make(needed: ["liba.so.1"]));
        Put("lib/liba.so.1.0", SmallElf.Make(needed: ["libb.so"]));
        _tree["lib/liba.so.1"] = new TreeLink("p", "lib/liba.so.1.0");
        Put("lib/libb.so", SmallElf.Make());
        Put("lib/unused.so", SmallElf.Make(needed: ["libc.so"]));
        Put("lib/libc.so", SmallElf.Make());
        Put("lib/libnss_x.so", SmallElf.Make(needed: ["libd.so"]));
        Put("lib/libd.so", SmallElf.Make());
        Put("lib/sub/plug.so", SmallElf.Make(needed: ["libe.so"]));
        Put("lib/libe.so", SmallElf.Make());
        Put("lib/data.so.txt", [1, 2, 3]);

        new Libraries(_tree).Prune(["lib/libnss_*"]);

        Assert.Equal(
            [
                "bin/tool", "lib/data.so.txt", "lib/liba.so.1", "lib/liba.so.1.0", "lib/libb.so", "lib/libd.so", "lib/libe.so",
                "lib/libnss_x.so", "lib/sub/plug.so",
            ],
            _tree.Entries.Select(e => e.Key));
    }

    [Fact]
    public void A_search_path_is_looked_in_first()
    {
        var program = SmallElf.Make(needed: ["liba.so"], runpath: "/dev/crashcart/lib//////own");
        Put("lib/own/liba.so", SmallElf.Make());
        Put("lib/liba.so", SmallElf.Make());
        Assert.Equal("lib/own/liba.so", new Libraries(_tree).Find("liba.so", "bin/tool", new ElfFile(program, "bin/tool")));
    }

    [Theory]
    [InlineData("$ORIGIN/../lib/x", "lib/x")]
    [InlineData("${ORIGIN}", "bin")]
    [InlineData("/dev/crashcart/lib////x/", "lib/x")]
    [InlineData("/usr/lib/x", null)]
    [InlineData("/dev/crashcart/../../lib", null)]
    [InlineData("relative", null)]
    public void A_search_path_may_not_lead_out_of_the_image(string directory, string? expected)
        => Assert.Equal(expected, Libraries.InTree(directory, "bin/tool"));

    private void Put(string path, byte[] content) => _tree[path] = new TreeFile("p", content, true);
}
