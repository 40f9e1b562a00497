using System.Runtime.InteropServices;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>Looking into programs.</summary>
internal static class DebugUses
{
    public static readonly IReadOnlyList<Use> All =
    [
        new("strace", "timeout -s INT 1.5 strace -p 1", "strace: Process 1 attached", "accept(", "AF_INET") { Status = 124, Attaches = true },
        new("strace", "strace -f -c ls /", "app", "% time", "openat"),
        new("ltrace", "ltrace -e strlen ls /", "strlen(") { Only = Architecture.X64 },
        new("gdb", "gdb -p 1 -batch -ex bt", "#0 ", "main (")
        {
            Attaches = true,
            Refusals = [new(Where.Musl, "musl's library does not say how to unwind its calls", 0, "#0 ", " from /lib/ld-musl-")],
        },
        new("gdb", "gdb -batch -ex run --args echo said", "said", "exited normally"),
        new("gdb", "gdb -batch -ex 'shell echo by the shell' -ex 'python print(6 * 7)'", "by the shell", "42"),
        new("gcore", "gcore -o core 1 && file core.1", "ELF 64-bit LSB core file", "app") { Attaches = true },
        new("nm addr2line", "addr2line -e /app $(nm /app | grep ' T main$' | cut -d ' ' -f 1)", "web.c:"),
        new("readelf", "readelf -S /app", ".debug_info"),
        new("objdump", "objdump --disassemble=main /app", "<main>:", "ret"),
        new("strings", "strings /app", "GET /health HTTP/1.0"),
        new("strip size objcopy nm", "cp /app a && strip a && objcopy -O binary -j .text a text && size a && nm a", "a: no symbols"),
        new("ar ranlib ld", "cp /lab/hello hello && ld -r -b binary -o h.o hello && ar rc h.a h.o && ranlib h.a && nm -s h.a", "_binary_hello_start in h.o"),
        new("c++filt", "c++filt _ZNSt6vectorIiE4pushEv", "std::vector<int>::push()"),
        new("busybox", "busybox nslookup service.test", "127.0.0.1"),
    ];
}
