namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>The files of a hostile container: those that its variables name, and those where tools look by themselves.</summary>
internal static class TrapFiles
{
    /// <summary>The name of Debian's library directories on this machine.</summary>
    public static readonly string Triplet = $"{(IsArm ? "aarch64" : "x86_64")}-linux-gnu";

    private static readonly string[] GitPrograms = ["git", "git-remote-file", "git-remote-https", "git-upload-pack", "git-sh-setup"];

    /// <summary>Below /trap.</summary>
    public static readonly IReadOnlyList<TrapFile> OfVolume =
    [
        TrapFile.Program("shell", "SHELL"),
        TrapFile.Program("pager", "PAGER"),
        TrapFile.Program("editor", "EDITOR"),
        TrapFile.Program("mtr-packet", "MTR_PACKET"),
        TrapFile.SharedObject("lib/preload.so", "LD_PRELOAD"),
        TrapFile.SharedObject("lib/audit.so", "LD_AUDIT"),
        TrapFile.SharedObject("lib/preload-file.so", "/etc/ld.so.preload"),
        .. ((string[])["libc.so.6", "libtinfo.so.6", "libcrypto.so.3", "libz.so.1", "libcc.so"])
            .Select(name => TrapFile.SharedObject($"lib/{name}", "LD_LIBRARY_PATH")),
        .. ((string[])["legacy.so", "default.so", "fips.so"]).Select(name => TrapFile.SharedObject($"lib/{name}", "OPENSSL_MODULES")),
        .. ((string[])["filefuncs.so", "time.so"]).Select(name => TrapFile.SharedObject($"lib/{name}", "AWKLIBPATH")),
        TrapFile.SharedObject("gconv/trap.so", "GCONV_PATH"),
        new("gconv/gconv-modules", Gconv),
        new("bash_env", "/trap/mark BASH_ENV\n"),
        new("env", "/trap/mark ENV\n"),
        .. PythonModules("python/", "PYTHONPATH"),
        new("perl/Trap.pm", PerlModule("PERL5OPT")),
        new("perl/strict.pm", PerlModule("PERL5LIB")),
        new("vim/vimrc", "silent !/trap/mark VIM\n"),
        .. ((string[])["defaults.vim", "filetype.vim", "syntax/syntax.vim", "plugin/trap.vim"])
            .Select(name => new TrapFile($"vim/{name}", "silent !/trap/mark VIMRUNTIME\n")),
        new("lesskey", "#env\nLESSOPEN=|/trap/mark LESSKEYIN\n"),
        .. GitPrograms.Select(name => TrapFile.Program($"git-core/{name}", "GIT_EXEC_PATH")),
        TrapFile.Program("git-template/hooks/pre-commit", "GIT_TEMPLATE_DIR"),
        TrapFile.Program("git-template/hooks/post-checkout", "GIT_TEMPLATE_DIR"),
        new("gitconfig", GitSettings("GIT_CONFIG")),
        new("config/git/config", GitSettings("XDG_CONFIG_HOME/git")),
        new("config/gdb/gdbinit", "shell /trap/mark XDG_CONFIG_HOME/gdb\n"),
        new("openssl.cnf", OpensslSettings),
        TrapFile.SharedObject("lib/provider.so", "OPENSSL_CONF"),
        new("nmap/nse_main.lua", "os.execute('/trap/mark NMAPDIR')\n"),
        new("wgetrc", "use_askpass = /trap/mark-wgetrc\n"),
        TrapFile.Program("mark-wgetrc", "WGETRC"),
        new("psqlrc", "\\! /trap/mark PSQLRC\n"),
        TrapFile.SharedObject("plugins/trap.so", "my.cnf"),
        new("terminfo/empty", ""),
        new("man/empty", ""),
    ];

    /// <summary>In the container's root.</summary>
    public static readonly IReadOnlyList<TrapFile> OfRoot =
    [
        // What programs have built in.
        TrapFile.Program("bin/sh", "/bin/sh"),
        TrapFile.Program("bin/bash", "/bin/bash"),
        TrapFile.Program("usr/lib/sysstat/sadc", "sadc"),
        TrapFile.Program("usr/libexec/sysstat/sadc", "sadc"),
        TrapFile.Program("usr/bin/mtr-packet", "mtr-packet"),
        TrapFile.Program("usr/sbin/mtr-packet", "mtr-packet"),
        .. GitPrograms.Select(name => TrapFile.Program($"usr/lib/git-core/{name}", "/usr/lib/git-core")),
        TrapFile.Program("usr/share/git-core/templates/hooks/pre-commit", "/usr/share/git-core"),
        new("usr/share/nmap/nse_main.lua", "os.execute('/trap/mark /usr/share/nmap')\n"),
        .. ((string[])["vim90", "vim91"]).SelectMany(vim => ((string[])["defaults.vim", "filetype.vim"])
            .Select(name => new TrapFile($"usr/share/vim/{vim}/{name}", "silent !/trap/mark /usr/share/vim\n"))),
        .. PythonModules("usr/lib/python3/dist-packages/", "/usr/lib/python3"),
        .. ((string[])["python3.11", "python3.13"]).SelectMany(python => (IEnumerable<TrapFile>)
        [
            .. PythonModules($"usr/lib/{python}/", $"/usr/lib/{python}"),
            .. PythonModules($"usr/local/lib/{python}/dist-packages/", $"/usr/local/lib/{python}"),
        ]),
        new("etc/perl/sitecustomize.pl", "system('/trap/mark', '/etc/perl');\n"),
        new("etc/perl/strict.pm", PerlModule("/etc/perl")),

        // The C library's.
        new("etc/ld.so.preload", "/trap/lib/preload-file.so\n"),
        new("etc/nsswitch.conf", "passwd: trap files\ngroup: trap files\nhosts: trap files dns\nservices: trap files\n"),
        .. ((string[])["lib", "usr/lib", $"usr/lib/{Triplet}"])
            .Select(directory => TrapFile.SharedObject($"{directory}/libnss_trap.so.2", "/etc/nsswitch.conf")),
        new($"usr/lib/{Triplet}/gconv/gconv-modules", Gconv),
        TrapFile.SharedObject($"usr/lib/{Triplet}/gconv/trap.so", "/usr/lib/gconv"),

        // The system's settings.
        new("etc/profile", "/trap/mark /etc/profile\n"),
        new("etc/bash.bashrc", "/trap/mark /etc/bash.bashrc\n"),
        new("etc/vim/vimrc", "silent !/trap/mark /etc/vim/vimrc\n"),
        new("etc/gitconfig", GitSettings("/etc/gitconfig")),
        new("etc/gdb/gdbinit", "shell /trap/mark /etc/gdb/gdbinit\n"),
        new("etc/perfconfig", PerfSettings),
        new("etc/postgresql-common/psqlrc", "\\! /trap/mark /etc/postgresql-common\n"),
        new("etc/my.cnf", MariaDbSettings),
        new("etc/mysql/my.cnf", MariaDbSettings),
        new("etc/wgetrc", "use_askpass = /trap/mark-wgetrc\n"),
        new("etc/ssl/openssl.cnf", OpensslSettings),
        new("usr/lib/ssl/openssl.cnf", OpensslSettings),

        // The user's settings.
        new("root/.bashrc", "/trap/mark .bashrc\n"),
        new("root/.bash_profile", "/trap/mark .bash_profile\n"),
        new("root/.profile", "/trap/mark .profile\n"),
        new("root/.inputrc", "Control-m: \"\\C-u/trap/mark .inputrc\\n\"\n"),
        new("root/.vimrc", "silent !/trap/mark .vimrc\n"),
        new("root/.exrc", "silent !/trap/mark .exrc\n"),
        new("root/.vim/plugin/trap.vim", "silent !/trap/mark .vim\n"),
        new("root/.lesskey", "#env\nLESSOPEN=|/trap/mark .lesskey\n"),
        new("root/.gdbinit", "shell /trap/mark .gdbinit\n"),
        new("root/.config/gdb/gdbinit", "shell /trap/mark .config/gdb\n"),
        new("root/.gitconfig", GitSettings(".gitconfig")),
        new("root/.config/git/config", GitSettings(".config/git")),
        new("root/.perfconfig", PerfSettings),
        new("root/.my.cnf", MariaDbSettings),
        new("root/.wgetrc", "use_askpass = /trap/mark-wgetrc\n"),
        new("root/.psqlrc", "\\! /trap/mark .psqlrc\n"),
        new("root/.nmap/nse_main.lua", "os.execute('/trap/mark .nmap')\n"),
        new("root/.jq", "def map(f): error(\"the container's .jq\");\n"),

        // What gdb loads for the program that it looks at.
        .. ((string[])["", "usr/lib/debug/", "usr/share/gdb/auto-load/"]).SelectMany(directory => (TrapFile[])
        [
            new($"{directory}app-gdb.py", "import gdb\ngdb.execute('shell /trap/mark app-gdb.py')\n"),
            new($"{directory}app-gdb.gdb", "shell /trap/mark app-gdb.gdb\n"),
        ]),
        .. ((string[])["lib", $"lib/{Triplet}", $"usr/lib/{Triplet}"])
            .Select(directory => TrapFile.SharedObject($"{directory}/libthread_db.so.1", "libthread_db.so.1")),
    ];

    /// <summary>The same as in the root, for tools that look where they are.</summary>
    public static readonly IReadOnlyList<TrapFile> OfWorkingDirectory =
    [
        new(".gdbinit", "shell /trap/mark ./.gdbinit\n"),
        new(".exrc", "silent !/trap/mark ./.exrc\n"),
        new(".vimrc", "silent !/trap/mark ./.vimrc\n"),
    ];

    private const string Gconv = """
        module TRAP// INTERNAL trap 1
        module INTERNAL TRAP// trap 1
        module ISO-8859-1// INTERNAL trap 1
        module INTERNAL ISO-8859-1// trap 1

        """;

    private const string MariaDbSettings = "[client]\nplugin-dir = /trap/plugins\ndefault-auth = trap\n";

    private const string PerfSettings = "[annotate]\n\tobjdump = /trap/mark\n";

    private const string OpensslSettings = """
        openssl_conf = init
        [init]
        providers = providers
        [providers]
        trap = trap
        [trap]
        module = /trap/lib/provider.so
        activate = 1

        """;

    private static bool IsArm =>
        System.Runtime.InteropServices.RuntimeInformation.OSArchitecture == System.Runtime.InteropServices.Architecture.Arm64;

    private static string GitSettings(string mark) => $"""
        [core]
        	fsmonitor = /trap/mark {mark}
        	hooksPath = /trap/git-template/hooks
        	pager = /trap/mark {mark}
        [diff]
        	external = /trap/mark {mark}

        """;

    private static string PerlModule(string mark) => $"BEGIN {{ system('/trap/mark', '{mark}'); }}\n1;\n";

    private static IEnumerable<TrapFile> PythonModules(string directory, string mark) =>
        ((string[])["sitecustomize.py", "usercustomize.py", "json.py"])
            .Select(name => new TrapFile(directory + name, $"import posix\nposix.system('/trap/mark {mark}')\n"));
}
