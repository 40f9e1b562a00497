namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>The container's environment, each variable of which has some tool run or load what it names.</summary>
internal static class TrapVariables
{
    public static readonly IReadOnlyList<(string Name, string Value)> All =
    [
        ("HOME", "/root"),
        ("PATH", "/trap/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
        ("SHELL", "/trap/shell"),
        ("XDG_CONFIG_HOME", "/trap/config"),
        ("XDG_DATA_HOME", "/trap/data"),

        // The loader and the C library.
        ("LD_PRELOAD", "/trap/lib/preload.so"),
        ("LD_AUDIT", "/trap/lib/audit.so"),
        ("LD_LIBRARY_PATH", "/trap/lib"),
        ("GCONV_PATH", "/trap/gconv"),
        ("LOCPATH", "/trap/locale"),

        // Shells.
        ("BASH_ENV", "/trap/bash_env"),
        ("ENV", "/trap/env"),
        ("BASH_FUNC_ls%%", "() { /trap/mark BASH_FUNC_ls; }"),
        ("BASH_FUNC_exec%%", "() { /trap/mark BASH_FUNC_exec; }"),
        ("PROMPT_COMMAND", "/trap/mark PROMPT_COMMAND"),
        ("PS1", "$(/trap/mark PS1)"),

        // Interpreters.
        ("PYTHONPATH", "/trap/python"),
        ("PYTHONHOME", "/trap/python"),
        ("PYTHONSTARTUP", "/trap/python/sitecustomize.py"),
        ("PERL5LIB", "/trap/perl"),
        ("PERL5OPT", "-MTrap"),
        ("AWKPATH", "/trap/awk"),
        ("AWKLIBPATH", "/trap/lib"),

        // Pagers and editors.
        ("PAGER", "/trap/pager"),
        ("MANPAGER", "/trap/pager"),
        ("MANPATH", "/trap/man"),
        ("EDITOR", "/trap/editor"),
        ("VISUAL", "/trap/editor"),
        ("LESS", "+!/trap/mark LESS\n"),
        ("LESSOPEN", "|/trap/mark LESSOPEN %s"),
        ("LESSCLOSE", "/trap/mark LESSCLOSE %s %s"),
        ("LESSKEYIN", "/trap/lesskey"),
        ("VIM", "/trap/vim"),
        ("VIMRUNTIME", "/trap/vim"),
        ("VIMINIT", "silent !/trap/mark VIMINIT"),
        ("EXINIT", "silent !/trap/mark EXINIT"),

        // Terminals.
        ("TERMINFO", "/trap/terminfo"),
        ("TERMINFO_DIRS", "/trap/terminfo"),

        // git.
        ("GIT_EXEC_PATH", "/trap/git-core"),
        ("GIT_TEMPLATE_DIR", "/trap/git-template"),
        ("GIT_CONFIG_GLOBAL", "/trap/gitconfig"),
        ("GIT_CONFIG_SYSTEM", "/trap/gitconfig"),
        ("GIT_CONFIG_COUNT", "1"),
        ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
        ("GIT_CONFIG_VALUE_0", "/trap/mark GIT_CONFIG_COUNT"),
        ("GIT_EXTERNAL_DIFF", "/trap/mark GIT_EXTERNAL_DIFF"),
        ("GIT_PAGER", "/trap/pager"),
        ("GIT_EDITOR", "/trap/editor"),
        ("GIT_SSH_COMMAND", "/trap/mark GIT_SSH_COMMAND"),

        // Others.
        ("OPENSSL_CONF", "/trap/openssl.cnf"),
        ("OPENSSL_MODULES", "/trap/lib"),
        ("OPENSSL_ENGINES", "/trap/lib"),
        ("NMAPDIR", "/trap/nmap"),
        ("MTR_PACKET", "/trap/mtr-packet"),
        ("TAR_OPTIONS", "--checkpoint=1 --checkpoint-action=exec='/trap/mark TAR_OPTIONS'"),
        ("RSYNC_RSH", "/trap/mark RSYNC_RSH"),
        ("WGETRC", "/trap/wgetrc"),
        ("CURL_HOME", "/trap/config"),
        ("MAGIC", "/trap/magic"),
        ("PERF_CONFIG", "/trap/perfconfig"),
        ("PSQLRC", "/trap/psqlrc"),
        ("PSQL_PAGER", "/trap/pager"),
    ];
}
