namespace Crashcart.Image.Tests;

public sealed class LayoutTests
{
    private readonly Layout _layout = new(Architecture.Amd64);

    [Theory]
    [InlineData("bin/bash", "bin/bash")]
    [InlineData("usr/sbin/tcpdump", "bin/tcpdump")]
    [InlineData("usr/bin", "bin")]
    [InlineData("lib/x86_64-linux-gnu/libc.so.6", "lib/libc.so.6")]
    [InlineData("usr/lib/x86_64-linux-gnu/ossl-modules/legacy.so", "lib/ossl-modules/legacy.so")]
    [InlineData("usr/lib/locale/C.utf8/LC_CTYPE", "lib/locale/C.utf8/LC_CTYPE")]
    [InlineData("usr/lib/x86_64-linux-gnu/blas/libblas.so.3", "lib/libblas.so.3")]
    [InlineData("lib64/ld-linux-x86-64.so.2", "lib/ld-linux-x86-64.so.2")]
    [InlineData("lib/terminfo/x/xterm", "share/terminfo/x/xterm")]
    [InlineData("usr/share/terminfo/x/xterm-kitty", "share/terminfo/x/xterm-kitty")]
    [InlineData("etc/ssl/openssl.cnf", "etc/ssl/openssl.cnf")]
    [InlineData("usr/libexec/coreutils/libstdbuf.so", "libexec/coreutils/libstdbuf.so")]
    public void Merges_the_directories_of_a_host(string path, string expected) => Assert.Equal(expected, _layout.Map(path));

    [Theory]
    [InlineData("var/lib/dpkg/status")]
    [InlineData("usr/include/stdio.h")]
    [InlineData("usr/lib/debug/x.debug")]
    [InlineData("usr/binary")]
    [InlineData("usr/games/fortune")]
    public void Leaves_out_what_has_no_place(string path) => Assert.Null(_layout.Map(path));

    [Theory]
    [InlineData("usr/bin/awk", "/etc/alternatives/awk", "etc/alternatives/awk")]
    [InlineData("usr/bin/sh", "dash", "usr/bin/dash")]
    [InlineData("usr/lib/a/b", "../../share/c", "usr/share/c")]
    [InlineData("bin/x", "../../../../etc/passwd", "etc/passwd")]
    public void Link_targets_become_paths_from_the_root(string path, string target, string expected)
        => Assert.Equal(expected, Layout.Normalize(path, target));
}
