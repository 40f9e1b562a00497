using static Crashcart.EndToEnd.Tests.Toolbox.TerminalUse;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>What needs a terminal, and a person at it.</summary>
internal static class TerminalUseTable
{
    public static readonly IReadOnlyList<TerminalUse> All =
    [
        new("bash", "bash", Enters("echo $((6 * 7)) $SHLVL; tty"), Shows("42 "), Shows("/dev/pts/"), Enters("exit")),
        new("less", "less /proc/self/status", Shows("Name:"), Types("/NSpid"), Presses("Enter"), Shows("NSpid:"), Types("q")),
        new("man", "man ls", Shows("LS(1)"), Shows("list directory contents"), Types("q")),
        new("more", "more /proc/self/status", Shows("Name:"), Shows("--More--"), Types("q")),
        new("vim wc", "vim notes; wc notes",
            Shows("~"), Types("ihello from vim"), Presses("Escape"), Shows("hello from vim"), Enters(":wq"), Shows("1  3 15 notes")),
        new("vi", "vi notes", Shows("~"), Enters(":echo 6 * 7"), Shows("42"), Enters(":q!")),
        new("view", "view /lab/hello", Shows("hello from the lab"), Enters(":q")),
        new("editor", "editor /lab/hello", Shows("hello from the lab"), Enters(":q")),
        new("nano wc", "nano notes; wc notes",
            Shows("GNU nano"), Types("hello from nano"), Presses("C-o"), Shows("DOS Format"), Presses("Enter"), Shows("Wrote 1 line"), Presses("C-x"), Shows("1  3 16 notes")),
        new("htop", "htop", Shows("Load average"), Shows("/app"), Types("q")),
        new("top", "top", Shows("load average"), Shows("app"), Types("q")),
        new("watch", "watch -n 1 'echo seen $((6 * 7))'", Shows("Every 1.0s"), Shows("seen 42"), Presses("C-c")),
        new("mtr", "mtr --no-dns 127.0.0.1", Shows("My traceroute"), Shows("127.0.0.1"), Types("q")),
        new("stty tty", "stty -a; tty", Shows("speed "), Shows("/dev/pts/")),
    ];
}
