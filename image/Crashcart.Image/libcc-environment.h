/*
 * What a tool takes from the environment that the container made for it.
 *
 * Under docker exec a tool starts with every variable of the container, and many name code to load or to run. So the first
 * tool of an image takes those out, before any library is initialised (libcc.so is linked with -z initfirst: some libraries
 * read their settings then); what it and the tools below it set after that is the user's own and is kept.
 * "First" is told by a mark that no variable and no file of the container can make: the soft limit of RLIMIT_LOCKS, which
 * Linux has not looked at since 2.4.25 and which a process hands on to all that it starts, see getrlimit(2).
 */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define IMAGE "/dev/crashcart/"
#define CLEANED 0x63727368u

extern char **environ;

/* Which programs a tool runs when it asks for one by a path such as /bin/sh. */
enum runs {
	RUNS_OURS,    /* the image's of that name: it is a helper of the tool */
	RUNS_SHELL,   /* the image's shell in place of /bin/sh, all else as asked for */
	RUNS_AS_ASKED /* what the user named; the image's shell only when the container has no /bin/sh */
};

/*
 * Tools that start what the user names. They hand on HOME and read nothing there. All others get the image's, and so do gdb
 * and perf although they start programs: settings and Python's modules in a home directory are code.
 */
static const struct {
	const char *name;
	enum runs runs;
} starters[] = {
	{"ash", RUNS_AS_ASKED},	       {"bash", RUNS_AS_ASKED},	   {"bpftrace", RUNS_SHELL},  {"busybox", RUNS_AS_ASKED},
	{"capsh", RUNS_AS_ASKED},      {"choom", RUNS_AS_ASKED},   {"chroot", RUNS_AS_ASKED}, {"chrt", RUNS_AS_ASKED},
	{"env", RUNS_AS_ASKED},	       {"find", RUNS_AS_ASKED},	   {"flock", RUNS_AS_ASKED},  {"gdb", RUNS_SHELL},
	{"ionice", RUNS_AS_ASKED},     {"ltrace", RUNS_AS_ASKED},  {"nice", RUNS_AS_ASKED},   {"nohup", RUNS_AS_ASKED},
	{"nsenter", RUNS_AS_ASKED},    {"perf", RUNS_AS_ASKED},	   {"printenv", RUNS_AS_ASKED}, {"prlimit", RUNS_AS_ASKED},
	{"python3", RUNS_SHELL},       {"rbash", RUNS_AS_ASKED},   {"script", RUNS_SHELL},    {"setarch", RUNS_AS_ASKED},
	{"setpriv", RUNS_AS_ASKED},    {"setsid", RUNS_AS_ASKED},  {"sh", RUNS_AS_ASKED},     {"socat", RUNS_SHELL},
	{"stdbuf", RUNS_AS_ASKED},     {"strace", RUNS_AS_ASKED},  {"taskset", RUNS_AS_ASKED}, {"time", RUNS_AS_ASKED},
	{"timeout", RUNS_AS_ASKED},    {"uclampset", RUNS_AS_ASKED}, {"unshare", RUNS_AS_ASKED}, {"watch", RUNS_SHELL},
	{"xargs", RUNS_AS_ASKED},
};

/* Variables that name code, or files and options that lead to code, or whom to trust. A star stands for any text at its end. */
static const char *const dangerous[] = {
	"AWKLIBPATH", "AWKPATH", "BASHOPTS", "BASH_*", "BPFTRACE_*", "BROWSER", "CDPATH", "CURL_*", "CVS_RSH",
	"DEBUGINFOD_*", "EDITOR", "ENV", "EXINIT", "FCEDIT", "GAWK_*", "GCONV_PATH", "GDB*", "GETCONF_DIR", "GIT_*",
	"GLIBC_TUNABLES", "GNUTLS_*", "GSS_*", "GZIP", "HISTFILE", "HOSTALIASES", "HTOPRC", "INPUTRC", "IPERF3_*",
	"JQ_LIBRARY_PATH", "KRB5*", "LDAP*", "LESSCLOSE", "LESSECHO", "LESSEDIT", "LESSGLOBALTAGS", "LESSHISTFILE",
	"LESSKEY*", "LESSMETACHARS", "LESSMETAESCAPE", "LESSOPEN", "LESS_TERMCAP*", "LIBMYSQL_*", "LOCALDOMAIN", "LOCPATH",
	"LSOF*", "LTRACE*", "LUA_*", "MAGIC", "MAIL", "MAILCHECK", "MAILPATH", "MALLOC_*", "MANOPT", "MANPAGER",
	"MANPATH", "MARIADB_*", "MTR_*", "MYSQL_HISTFILE", "MYSQL_HOME", "MYVIMRC", "NANORC", "NETRC", "NLSPATH",
	"NMAP*", "NSTAT_HISTORY", "NULLCMD", "OPENSSL_*", "P11_*", "PAGER", "PERF_*", "PERL*", "PGSERVICEFILE",
	"PGSSLROOTCERT", "PGSYSCONFDIR", "POSIXLY_CORRECT", "PROMPT_COMMAND", "PS0", "PS1", "PS2", "PS3", "PS4",
	"PSQL*", "PYTHON*", "RANDFILE", "READNULLCMD", "REDISCLI_HISTFILE", "REDISCLI_RCFILE", "REQUESTS_CA_BUNDLE",
	"RES_OPTIONS", "RSH", "RSYNC_*", "SASL_*", "SHELLOPTS", "SOCAT_*", "SQLITE_HISTORY", "SSLKEYLOGFILE", "SSL_*",
	"STRACE*", "SYSSTAT_*", "SYSTEM_WGETRC", "S_COLORS_SGR", "TAPE", "TAR_OPTIONS", "TERMCAP", "TERMINFO",
	"TERMINFO_DIRS", "TERMPATH", "TZDIR", "VIM", "VIMINIT", "VIMRUNTIME", "VISUAL", "WGETRC", "XDG_*", "XZ_DEFAULTS",
	"XZ_OPT", "ZSTD_*",
};

/* What main's program may start, by its name; set before main. */
static enum runs runs_programs;
static bool hands_on_home;

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? path : slash + 1;
}

static bool is_named(const char *variable, const char *pattern)
{
	size_t length = strlen(pattern);
	if (pattern[length - 1] == '*')
		return strncmp(variable, pattern, length - 1) == 0;
	return strncmp(variable, pattern, length) == 0 && variable[length] == '=';
}

/* less(1) runs commands, and reads files that name some, by options: only letters and digits of the others pass. */
static bool is_harmless_less(const char *variable)
{
	const char *options = "LESS=";
	if (strncmp(variable, options, strlen(options)) != 0)
		return false;
	options = variable + strlen(options);
	return strspn(options, " -.,0123456789ABCDEFGHIJKLMNPQRSUVWXYZabcdefghijlmnpqrsuvwxyz") == strlen(options)
	       && strstr(options, "--") == NULL;
}

static bool is_dangerous(const char *variable)
{
	if (strncmp(variable, "LESS=", 5) == 0)
		return !is_harmless_less(variable);
	for (size_t i = 0; i < sizeof dangerous / sizeof *dangerous; i++)
		if (is_named(variable, dangerous[i]))
			return true;
	return false;
}

static char **find_variable(char **variables, const char *name)
{
	for (; *variables != NULL; variables++)
		if (is_named(*variables, name))
			return variables;
	return NULL;
}

static bool is_in_image(const char *path)
{
	return strncmp(path, IMAGE, strlen(IMAGE)) == 0 && strstr(path, "/..") == NULL;
}

/* A copy with room for more variables; null when there is no memory. */
static char **copy_variables(void)
{
	const size_t more = 5;
	size_t count = 0;
	while (environ[count] != NULL)
		count++;
	char **copy = malloc((count + more) * sizeof *copy);
	if (copy != NULL)
		memcpy(copy, environ, (count + 1) * sizeof *copy);
	return copy;
}

static void put(char **variables, const char *name, char *variable)
{
	char **place = find_variable(variables, name);
	if (place != NULL) {
		*place = variable;
		return;
	}
	while (*variables != NULL)
		variables++;
	variables[0] = variable;
	variables[1] = NULL;
}

/* Helpers that a tool finds by PATH are the image's. */
static void put_image_first(char **variables)
{
	static const char first[] = "PATH=" IMAGE "bin:" IMAGE "sbin";
	static const char ours[] = "PATH=" IMAGE "bin";
	char **path = find_variable(variables, "PATH");
	if (path != NULL && strncmp(*path, ours, strlen(ours)) == 0 && strchr(":", (*path)[strlen(ours)]) != NULL)
		return;
	const char *rest = path == NULL ? "" : *path + strlen("PATH=");
	char *joined = malloc(sizeof first + 1 + strlen(rest));
	if (joined == NULL)
		return;
	strcpy(joined, first);
	if (*rest != '\0')
		strcat(strcat(joined, ":"), rest);
	put(variables, "PATH", joined);
}

/* A terminal that the image does not know is taken for the usual one. */
static void put_known_terminal(char **variables)
{
	static char usual[] = "TERM=xterm-256color";
	char path[PATH_MAX] = IMAGE "share/terminfo/";
	char **term = find_variable(variables, "TERM");
	if (term == NULL)
		return;
	const char *name = *term + strlen("TERM=");
	size_t length = strlen(path);
	if (*name == '\0' || strchr(name, '/') != NULL || strlen(name) > 64)
		*term = usual;
	else {
		path[length] = *name;
		path[length + 1] = '/';
		strcpy(path + length + 2, name);
		if (access(path, F_OK) != 0)
			*term = usual;
	}
}

static bool mark_cleaned(void)
{
	struct rlimit locks;
	if (getrlimit(RLIMIT_LOCKS, &locks) != 0)
		return false;
	if (locks.rlim_cur == CLEANED)
		return true;
	locks.rlim_cur = CLEANED;
	(void)setrlimit(RLIMIT_LOCKS, &locks);
	return false;
}

static void name_program(char **argv)
{
	const char *name = argv[0] == NULL ? "" : last_part(argv[0]);
	if (*name == '-')
		name++;
	/* The one applet that reads commands from the home directory. */
	if (strcmp(name, "busybox") == 0 && argv[1] != NULL && strcmp(argv[1], "vi") == 0)
		return;
	for (size_t i = 0; i < sizeof starters / sizeof *starters; i++) {
		if (strcmp(name, starters[i].name) == 0) {
			runs_programs = starters[i].runs;
			hands_on_home = strcmp(name, "gdb") != 0 && strcmp(name, "perf") != 0;
		}
	}
}

static bool was_cleaned;

/* The C library itself is not ready here: only the variables that the kernel passed are there, and they can only go. */
__attribute__((constructor)) static void take_out_dangerous(int argc, char **argv, char **variables)
{
	(void)argc;
	(void)argv;
	was_cleaned = mark_cleaned();
	if (was_cleaned)
		return;
	char **kept = variables;
	for (; *variables != NULL; variables++)
		if (!is_dangerous(*variables))
			*kept++ = *variables;
	*kept = NULL;
}

/* Called before main, when the C library is ready. */
static void prepare(char **argv)
{
	static char shell[] = "SHELL=" IMAGE "bin/sh";
	static char home[] = "HOME=" IMAGE "home";
	static char temporary[] = "TMPDIR=/dev/shm";

	name_program(argv);
	char **variables = copy_variables();
	if (variables == NULL)
		return;
	if (!was_cleaned) {
		char **user = find_variable(variables, "SHELL");
		if (user == NULL || !is_in_image(*user + strlen("SHELL=")))
			put(variables, "SHELL", shell);
		if (find_variable(variables, "TMPDIR") == NULL && access("/tmp", W_OK | X_OK) != 0)
			put(variables, "TMPDIR", temporary);
		put_image_first(variables);
		put_known_terminal(variables);
	}
	if (!hands_on_home)
		put(variables, "HOME", home);
	environ = variables;
}

/* The program to run when one is asked for by `path`; `buffer` has room for a path. */
static const char *program_for(const char *path, char *buffer)
{
	static const char *const directories[] = {"/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/", "/usr/local/bin/"};
	if (runs_programs == RUNS_AS_ASKED || path[0] != '/')
		return path;
	if (runs_programs == RUNS_SHELL)
		return strcmp(path, "/bin/sh") == 0 ? IMAGE "bin/sh" : path;
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++) {
		size_t length = strlen(directories[i]);
		const char *name = path + length;
		if (strncmp(path, directories[i], length) != 0 || strchr(name, '/') != NULL || strlen(name) > NAME_MAX)
			continue;
		strcat(strcpy(buffer, IMAGE "bin/"), name);
		if (access(buffer, X_OK) == 0)
			return buffer;
	}
	return path;
}
