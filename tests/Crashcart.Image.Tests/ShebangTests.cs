using System.Text;

namespace Crashcart.Image.Tests;

public sealed class ShebangTests
{
    private readonly Tree _tree = new();

    public ShebangTests()
    {
        _tree["bin/bash"] = new TreeFile("p", [], true);
        _tree["bin/sh"] = new TreeLink("p", "bin/bash");
        _tree["bin/awk"] = new TreeFile("p", [], true);
    }

    [Theory]
    [InlineData("#!/bin/sh\nexit\n", "#!/dev/crashcart/bin/sh\nPATH=/dev/crashcart/bin:$PATH\nexit\n")]
    [InlineData("#! /usr/bin/bash -e\nexit\n", "#!/dev/crashcart/bin/bash -e\nPATH=/dev/crashcart/bin:$PATH\nexit\n")]
    [InlineData("#!/usr/bin/env awk\nBEGIN\n", "#!/dev/crashcart/bin/awk\nBEGIN\n")]
    [InlineData("#!/usr/bin/awk -f\nBEGIN\n", "#!/dev/crashcart/bin/awk -f\nBEGIN\n")]
    [InlineData("#!/dev/crashcart/bin/busybox sh\nexit\n", "#!/dev/crashcart/bin/busybox sh\nexit\n")]
    [InlineData("#!/bin/sh", "#!/dev/crashcart/bin/sh\nPATH=/dev/crashcart/bin:$PATH\n")]
    public void Scripts_are_run_by_the_image(string script, string expected)
        => Assert.Equal(expected, Relocate(script));

    [Theory]
    [InlineData("#!/usr/bin/perl\n")]
    [InlineData("#!/usr/bin/env python3\n")]
    [InlineData("#!\n")]
    public void A_script_without_interpreter_has_no_place(string script) => Assert.Null(Relocate(script));

    private string? Relocate(string script)
        => Shebang.Relocate(Encoding.UTF8.GetBytes(script), _tree) is { } made ? Encoding.UTF8.GetString(made) : null;
}
