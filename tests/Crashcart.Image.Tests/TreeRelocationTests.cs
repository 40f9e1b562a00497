using System.Text;

namespace Crashcart.Image.Tests;

public sealed class TreeRelocationTests
{
    private readonly Tree _tree = new()
    {
        ["lib/" + Architecture.Amd64.Loader] = Data(File.ReadAllBytes("/lib64/ld-linux-x86-64.so.2")),
        ["lib/data"] = Data("\0/usr/lib/x86_64-linux-gnu/plug\0"u8.ToArray()),
        ["bin/busybox"] = Data("no script"u8.ToArray()),
    };

    [Fact]
    public void An_edit_may_name_the_architectures_directory()
    {
        Relocate(new TextEdit("lib/data", "/usr/lib/{triplet}/plug", "/dev/crashcart/p", 1));
        Assert.StartsWith("\0/dev/crashcart/p\0", Encoding.ASCII.GetString(_tree.FileAt("lib/data")!.Content));
    }

    [Fact]
    public void An_edit_may_be_of_every_file_of_a_pattern()
    {
        _tree["lib/1.2/data"] = Data("\0/etc/a\0"u8.ToArray());
        _tree["lib/1.3/data"] = Data("\0/etc/a\0"u8.ToArray());
        Relocate(new TextEdit("lib/1.*/data", "/etc/a", "", 1));
        Assert.All(["lib/1.2/data", "lib/1.3/data"], path => Assert.Equal(new byte[8], _tree.FileAt(path)!.Content));
    }

    [Fact]
    public void Every_edit_that_does_not_fit_is_named_at_once()
    {
        var error = Assert.Throws<ImageBuildException>(() => Relocate(
            new TextEdit("lib/data", "/one", "", 1), new TextEdit("lib/none", "/two", "", 1), new TextEdit("lib/data", "/three", "", 2)));
        Assert.Contains("'/one' in lib/data and found it 0 times where 1 is right", error.Message);
        Assert.Contains("The recipe edits lib/none, which no package has.", error.Message);
        Assert.Contains("'/three' in lib/data and found it 0 times where 2 is right", error.Message);
    }

    [Fact]
    public void A_script_that_nothing_can_run_is_left_out_of_bin_and_is_data_elsewhere()
    {
        _tree["bin/tool"] = Data("#!/usr/bin/perl\n"u8.ToArray());
        _tree["lib/module.py"] = Data("#!/usr/bin/python3\n"u8.ToArray());
        var log = new StringWriter();
        TreeRelocation.Scripts(_tree, new BuildLog(log));
        Assert.Null(_tree["bin/tool"]);
        Assert.False(_tree.FileAt("lib/module.py")!.Executable);
        Assert.Contains("bin/tool", log.ToString());
    }

    private void Relocate(params TextEdit[] edits) => new TreeRelocation(_tree, Architecture.Amd64, new Dictionary<string, string>()).Run(edits, []);

    private static TreeFile Data(byte[] content) => new("p", content, Executable: true);
}
