namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A directory with everything that a copy must keep.</summary>
internal static class CopiedTree
{
    public static Task Make(string directory) => new Command("bash", "-ec", """
        mkdir -p "$0/sub/empty"; cd "$0"
        head -c 3000000 /dev/urandom > random; echo contents > file; chmod 640 file; ln file hard; ln -s ../anywhere link
        truncate -s 1G sparse; echo middle | dd of=sparse bs=1M seek=500 conv=notrunc status=none
        : > nothing; : > "sub/$(printf 'n%.0s' $(seq 250))"
        touch -d '2001-02-03 04:05:06.123456789' file; chmod 555 sub; touch -d '2010-01-01 00:00:00.5' sub
        """, directory).Output();

    /// <summary>Names, kinds, modes, times, links, sizes, contents, and that what has holes takes no room.</summary>
    public static Task Same(string one, string other) => new Command("bash", "-ec", """
        show() { find . -printf '%P %y %m %T@ %l %n %s\n' | sort; find . -type f ! -name sparse -exec sha256sum {} + | sort; dd if=sparse bs=1M skip=500 count=1 status=none | sha256sum; }
        diff <(cd "$0"; show) <(cd "$1"; show)
        [ "$(du -sk "$1" | cut -f1)" -lt 10000 ]
        """, one, other).Output();
}
