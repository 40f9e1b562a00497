namespace Crashcart.Image.Tests;

/// <summary>
/// Everything by which a container could make a tool run its code, each leading to something that leaves a mark: what
/// docker exec hands on of the container's environment, and files that tools look for.
/// </summary>
internal static class HostileContainer
{
    /// <summary>A file that hostile code makes.</summary>
    public const string Mark = "mark";

    private const string Run = "/evil/run";
    private const string Code = "/evil/code.so";

    /// <summary>Runs wherever a program of the container may run.</summary>
    private const string Script = "#!/dev/crashcart/bin/busybox sh\necho \"$0\" >>/mark\n";

    /// <summary>Programs that tools start by their bare names.</summary>
    private static readonly string[] Helpers =
    [
        "bash", "bzip2", "cat", "diff", "editor", "git", "git-remote-http", "git-upload-pack", "gzip", "iconv", "less", "locale",
        "lsof", "mandoc", "more", "mtr-packet", "nano", "pager", "pr", "rsh", "sh", "ssh", "strace", "stty", "tar", "vi", "vim",
        "which", "xz", "zstd",
    ];

    /// <summary>Where one that a setting names may be looked for, too.</summary>
    private static readonly string[] Libraries =
    [
        "evil/code.so", "evil/hostile.so", "evil/lib/libc.so.6", "libnss_x/code.so.2", "usr/lib/ssl/code.so",
        "usr/local/lib/lua/5.3/lpeg.so", "lpeg.so",
    ];

    /// <summary>Commands as the shells of this world read them: in a settings file of each tool's own language.</summary>
    private static readonly (string Path, string Text)[] Settings =
    [
        (".bashrc", Run), (".bash_profile", Run), (".bash_login", Run), (".profile", Run), (".bash_logout", Run),
        ("etc/profile", Run), ("etc/bash.bashrc", Run), ("etc/bash.bash_logout", Run),
        (".inputrc", "Control-m: \"\\n/evil/run\\n\""), ("etc/inputrc", "Control-m: \"\\n/evil/run\\n\""),
        (".vimrc", "silent !/evil/run"), (".exrc", "!/evil/run"), (".vim/vimrc", "silent !/evil/run"),
        ("etc/vim/vimrc", "silent !/evil/run"), (".vim/plugin/x.vim", "silent !/evil/run"),
        ("usr/share/vim/vim90/defaults.vim", "silent !/evil/run"),
        (".gdbinit", "shell /evil/run"), (".config/gdb/gdbinit", "shell /evil/run"), (".config/gdb/gdbearlyinit", "shell /evil/run"),
        ("etc/gdb/gdbinit", "shell /evil/run"), ("etc/gdb/gdbinit.d/x.gdb", "shell /evil/run"),
        (".gitconfig", GitSettings), (".config/git/config", GitSettings), ("etc/gitconfig", GitSettings),
        (".lesskey", "#env\nLESSOPEN=|/evil/run"), ("etc/syslesskey", "#env\nLESSOPEN=|/evil/run"),
        (".wgetrc", "use_askpass = /evil/run"), ("etc/wgetrc", "use_askpass = /evil/run"),
        (".popt", "rsync exec --version /evil/run"), ("etc/popt", "rsync exec --version /evil/run"),
        (".nmap/nse_main.lua", "os.execute('/evil/run')"),
        ("usr/share/nmap/nse_main.lua", "os.execute('/evil/run')"),
        ("usr/local/share/lua/5.3/strict.lua", "os.execute('/evil/run')"),
        ("usr/lib/ssl/openssl.cnf", OpenSsl),
        ("etc/pkcs11/modules/x.module", $"module: {Code}"), ("usr/share/p11-kit/modules/x.module", $"module: {Code}"),
        ("etc/gss/mech", $"hostile 1.2.840.113554.1.2.2 {Code}"),
        ("etc/hosts.allow", "ALL: ALL: spawn /evil/run"),
        ("etc/man.conf", "manpath /evil"),
        (".sqliterc", ".shell /evil/run"), (".psqlrc", "\\! /evil/run"), (".nanorc", "include /evil/nanorc"),
        (".python/sitecustomize.py", Python), (".local/lib/python3.11/site-packages/usercustomize.py", Python),
        ("usr/lib/python3.11/sitecustomize.py", Python), ("json.py", Python), ("ssl.py", Python),
        ("evil/python/sitecustomize.py", Python), ("evil/start.py", Python), ("evil/awk/x.awk", "BEGIN { system(\"/evil/run\") }"),
        ("evil/git/git-x", Script), ("evil/vim/vimrc", "silent !/evil/run"), ("evil/openssl.cnf", OpenSsl),
        ("evil/gconv/gconv-modules", "module LATIN1// INTERNAL ../code 1\nmodule INTERNAL LATIN1// ../code 1\n"),
        ("etc/nsswitch.conf", "passwd: hostile x/code files\ngroup: hostile x/code files\nhosts: hostile x/code files dns\n"),
        ("etc/ld.so.preload", Code),
    ];

    private const string GitSettings =
        "[core]\n\tpager = /evil/run\n\tfsmonitor = /evil/run\n\teditor = /evil/run\n\thooksPath = /evil\n[diff]\n\texternal = /evil/run\n";

    private const string Python = "open('/mark', 'a').write(__name__)\n";

    private const string OpenSsl = """
        openssl_conf = init
        [init]
        providers = providers
        engines = engines
        [providers]
        hostile = hostile
        [hostile]
        module = /evil/code.so
        activate = 1
        [engines]
        e = engine
        [engine]
        dynamic_path = /evil/code.so
        """;

    /// <summary>What the container's image sets, handed on to a tool by docker exec.</summary>
    public static readonly Dictionary<string, string> Environment = new()
    {
        ["PATH"] = "/evil/bin",
        ["HOME"] = "/",
        ["TERM"] = "xterm",
        ["LANG"] = "../../evil",
        ["LD_PRELOAD"] = Code,
        ["LD_LIBRARY_PATH"] = "/evil/lib:/lib",
        ["LD_AUDIT"] = Code,
        ["CC_CLEANED"] = "1",
        ["GCONV_PATH"] = "/evil/gconv",
        ["LOCPATH"] = "/evil",
        ["NLSPATH"] = "/evil/%N",
        ["GETCONF_DIR"] = "/evil/bin",
        ["PYTHONPATH"] = "/evil/python",
        ["PYTHONHOME"] = "/evil/python",
        ["PYTHONSTARTUP"] = "/evil/start.py",
        ["PERL5LIB"] = "/evil",
        ["PERL5OPT"] = "-Mevil",
        ["GIT_EXEC_PATH"] = "/evil/bin",
        ["GIT_TEMPLATE_DIR"] = "/evil",
        ["GIT_CONFIG_GLOBAL"] = "/.gitconfig",
        ["GIT_CONFIG_SYSTEM"] = "/.gitconfig",
        ["GIT_CONFIG_COUNT"] = "1",
        ["GIT_CONFIG_KEY_0"] = "core.fsmonitor",
        ["GIT_CONFIG_VALUE_0"] = Run,
        ["GIT_EXTERNAL_DIFF"] = Run,
        ["GIT_SSH_COMMAND"] = Run,
        ["GIT_PAGER"] = Run,
        ["GIT_EDITOR"] = Run,
        ["GIT_ASKPASS"] = Run,
        ["PAGER"] = Run,
        ["MANPAGER"] = Run,
        ["MANPATH"] = "/evil",
        ["EDITOR"] = Run,
        ["VISUAL"] = Run,
        ["SHELL"] = Run,
        ["BASH_ENV"] = Run,
        ["ENV"] = Run,
        ["BASH_FUNC_ls%%"] = "() { /evil/run; }",
        ["BASH_FUNC_echo%%"] = "() { /evil/run; }",
        ["PROMPT_COMMAND"] = Run,
        ["PS1"] = "$(/evil/run)",
        ["PS4"] = "$(/evil/run)",
        ["SHELLOPTS"] = "xtrace",
        ["INPUTRC"] = "/.inputrc",
        ["LESSOPEN"] = "|/evil/run %s",
        ["LESSCLOSE"] = "/evil/run %s %s",
        ["LESS"] = "+!/evil/run\n",
        ["LESSKEY"] = "/.lesskey",
        ["LESSKEYIN"] = "/.lesskey",
        ["VIMINIT"] = "silent !/evil/run",
        ["EXINIT"] = "!/evil/run",
        ["VIM"] = "/evil/vim",
        ["VIMRUNTIME"] = "/usr/share/vim/vim90",
        ["MYVIMRC"] = "/.vimrc",
        ["OPENSSL_CONF"] = "/evil/openssl.cnf",
        ["OPENSSL_MODULES"] = "/evil",
        ["OPENSSL_ENGINES"] = "/evil",
        ["SSLKEYLOGFILE"] = "/mark",
        ["CURL_HOME"] = "/evil",
        ["WGETRC"] = "/.wgetrc",
        ["GDBHISTFILE"] = "/mark",
        ["DEBUGINFOD_URLS"] = "http://127.0.0.1:1",
        ["MAGIC"] = "/evil/magic",
        ["NMAPDIR"] = "/.nmap",
        ["LUA_PATH"] = "/.nmap/?.lua",
        ["LUA_CPATH"] = Code,
        ["MTR_PACKET"] = Run,
        ["TAR_OPTIONS"] = "--checkpoint=1 --checkpoint-action=exec=/evil/run",
        ["RSYNC_RSH"] = Run,
        ["RSYNC_CONNECT_PROG"] = Run,
        ["AWKLIBPATH"] = "/evil",
        ["AWKPATH"] = "/evil/awk",
        ["TERMINFO"] = "/evil",
        ["TERMINFO_DIRS"] = "/evil",
        ["XDG_CONFIG_HOME"] = "/.config",
        ["XDG_DATA_HOME"] = "/evil",
        ["MALLOC_TRACE"] = "/mark",
        ["GLIBC_TUNABLES"] = "glibc.malloc.check=3",
        ["PSQLRC"] = "/.psqlrc",
        ["SASL_PATH"] = "/evil",
        ["KRB5_CONFIG"] = "/evil/krb5.conf",
        ["P11_MODULE_PATH"] = "/evil",
        ["HOSTALIASES"] = "/evil/aliases",
    };

    /// <param name="root">The container's root, with the image in it.</param>
    public static void Plant(HostileRoot root)
    {
        foreach (var (path, text) in Settings)
            root.Write(path, text + "\n");
        foreach (var helper in Helpers)
        {
            root.WriteProgram("evil/bin/" + helper, Script);
            root.WriteProgram("bin/" + helper, Script);
            root.WriteProgram("usr/bin/" + helper, Script);
        }

        root.Write("dev/null", "");
        root.Write("dev/urandom", string.Concat(Enumerable.Range(0, 10_000)));
        root.Write("dev/shm/x", "");
        root.WriteProgram("evil/run", Script);
        foreach (var path in Libraries)
            root.WriteLibrary(path);
    }
}
