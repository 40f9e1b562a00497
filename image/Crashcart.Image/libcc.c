/*
 * libcc.so: preloaded into every tool of a toolbox image, by the image's own preload file.
 *
 * A container need have neither a shell nor /etc/passwd. The C library has "/bin/sh" built in and asks the container who
 * root is; here both fall back to the image:
 *
 *   system(3), popen(3)           always the image's shell: a tool's own helper commands never run the container's code
 *   exec*(3), posix_spawn(3)      a tool's helpers are the image's too; what a user names is what runs, and the image's
 *                                 shell when the container has no /bin/sh
 *   setlocale(3), newlocale(3)    a locale that the image lacks is C.UTF-8
 *   getpw*(3), getgr*(3)          root exists, whatever the container's files say
 *   initgroups(3), setgroups(2)   EPERM is no failure for root of a user namespace that may not set groups
 *
 * and, before main, the environment is made the tool's own: see libcc-environment.h.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <locale.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libcc-environment.h"

#define EXPORT __attribute__((visibility("default")))
#define SHELL "/bin/sh"
#define OUR_SHELL IMAGE "bin/sh"

/* next_NAME() is the C library's own function of this name. */
#define DECLARE(name)                                                            \
	static __typeof__(&name) next_##name(void)                               \
	{                                                                        \
		static __typeof__(&name) found;                                  \
		if (found == NULL)                                               \
			found = (__typeof__(&name))dlsym(RTLD_NEXT, #name);      \
		return found;                                                    \
	}
#define NEXT(name) next_##name()

DECLARE(execve)
DECLARE(execvp)
DECLARE(execvpe)
DECLARE(posix_spawn)
DECLARE(posix_spawnp)
DECLARE(pclose)
DECLARE(getpwnam)
DECLARE(getpwuid)
DECLARE(getpwnam_r)
DECLARE(getpwuid_r)
DECLARE(getgrnam)
DECLARE(getgrgid)
DECLARE(initgroups)
DECLARE(setgroups)
DECLARE(setlocale)
DECLARE(newlocale)

/* dlsym(3) takes a lock that another thread may hold at fork(2): found before main, a child does not need it. */
static void find_exec(void)
{
	(void)NEXT(execve);
	(void)NEXT(execvp);
	(void)NEXT(execvpe);
}

static int lacks_shell(const char *path, int error)
{
	return error == ENOENT && strcmp(path, SHELL) == 0;
}

EXPORT int execve(const char *path, char *const argv[], char *const envp[])
{
	char buffer[PATH_MAX];
	const char *program = program_for(path, buffer);
	int result = NEXT(execve)(program, argv, envp);
	return lacks_shell(program, errno) ? NEXT(execve)(OUR_SHELL, argv, envp) : result;
}

EXPORT int execv(const char *path, char *const argv[])
{
	return execve(path, argv, environ);
}

EXPORT int execvp(const char *file, char *const argv[])
{
	char buffer[PATH_MAX];
	const char *program = program_for(file, buffer);
	int result = NEXT(execvp)(program, argv);
	return lacks_shell(program, errno) ? NEXT(execve)(OUR_SHELL, argv, environ) : result;
}

EXPORT int execvpe(const char *file, char *const argv[], char *const envp[])
{
	char buffer[PATH_MAX];
	const char *program = program_for(file, buffer);
	int result = NEXT(execvpe)(program, argv, envp);
	return lacks_shell(program, errno) ? NEXT(execve)(OUR_SHELL, argv, envp) : result;
}

/* Runs `call` with an argv made from variadic arguments; `tail` reads what follows their terminating null. */
#define WITH_ARGUMENTS(first, tail, call)                            \
	va_list list;                                                \
	size_t count = 1;                                            \
	va_start(list, first);                                       \
	while (va_arg(list, char *) != NULL)                         \
		count++;                                             \
	va_end(list);                                                \
	char *argv[count + 1];                                       \
	va_start(list, first);                                       \
	argv[0] = (char *)first;                                     \
	for (size_t i = 1; i <= count; i++)                          \
		argv[i] = va_arg(list, char *);                      \
	tail;                                                        \
	va_end(list);                                                \
	return call

EXPORT int execl(const char *path, const char *arg, ...)
{
	WITH_ARGUMENTS(arg, , execve(path, argv, environ));
}

EXPORT int execlp(const char *file, const char *arg, ...)
{
	WITH_ARGUMENTS(arg, , execvp(file, argv));
}

EXPORT int execle(const char *path, const char *arg, ...)
{
	WITH_ARGUMENTS(arg, char *const *envp = va_arg(list, char *const *), execve(path, argv, envp));
}

EXPORT int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		       const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	char buffer[PATH_MAX];
	const char *program = program_for(path, buffer);
	int error = NEXT(posix_spawn)(pid, program, actions, attributes, argv, envp);
	return lacks_shell(program, error) ? NEXT(posix_spawn)(pid, OUR_SHELL, actions, attributes, argv, envp) : error;
}

EXPORT int posix_spawnp(pid_t *pid, const char *file, const posix_spawn_file_actions_t *actions,
			const posix_spawnattr_t *attributes, char *const argv[], char *const envp[])
{
	char buffer[PATH_MAX];
	const char *program = program_for(file, buffer);
	int error = NEXT(posix_spawnp)(pid, program, actions, attributes, argv, envp);
	return lacks_shell(program, error) ? NEXT(posix_spawn)(pid, OUR_SHELL, actions, attributes, argv, envp) : error;
}

/* What _start calls, when every library is ready: see the C library's csu/libc-start.c. */
typedef int main_function(int, char **, char **);
typedef int start_function(main_function *, int, char **, void (*)(void), void (*)(void), void (*)(void), void *);

EXPORT start_function __libc_start_main;

int __libc_start_main(main_function *main, int argc, char **argv, void (*init)(void), void (*fini)(void),
		      void (*loader_fini)(void), void *stack_end)
{
	start_function *next = (start_function *)dlsym(RTLD_NEXT, "__libc_start_main");
	find_exec();
	prepare(argv);
	return next(main, argc, argv, init, fini, loader_fini, stack_end);
}

static bool is_unknown_locale(const void *set, const char *name)
{
	return set == NULL && name != NULL && strcmp(name, "C") != 0 && strcmp(name, "POSIX") != 0;
}

EXPORT char *setlocale(int category, const char *name)
{
	char *set = NEXT(setlocale)(category, name);
	return is_unknown_locale(set, name) ? NEXT(setlocale)(category, "C.UTF-8") : set;
}

EXPORT locale_t newlocale(int mask, const char *name, locale_t base)
{
	locale_t set = NEXT(newlocale)(mask, name, base);
	return is_unknown_locale(set, name) ? NEXT(newlocale)(mask, "C.UTF-8", base) : set;
}

static void run_shell(const char *command)
{
	char *argv[] = {"sh", "-c", "--", (char *)command, NULL};
	NEXT(execve)(OUR_SHELL, argv, environ);
	_exit(127);
}

static pid_t wait_for(pid_t child, int *status)
{
	pid_t ended;
	do
		ended = waitpid(child, status, 0);
	while (ended < 0 && errno == EINTR);
	return ended;
}

/* As POSIX has it: SIGINT and SIGQUIT are the command's while it runs, and SIGCHLD waits. */
EXPORT int system(const char *command)
{
	if (command == NULL)
		return 1;

	struct sigaction ignore = {.sa_handler = SIG_IGN}, interrupt, quit;
	sigset_t child_signal, mask;
	sigemptyset(&child_signal);
	sigaddset(&child_signal, SIGCHLD);
	sigaction(SIGINT, &ignore, &interrupt);
	sigaction(SIGQUIT, &ignore, &quit);
	sigprocmask(SIG_BLOCK, &child_signal, &mask);

	int status = -1;
	pid_t child = fork();
	if (child == 0) {
		sigaction(SIGINT, &interrupt, NULL);
		sigaction(SIGQUIT, &quit, NULL);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		run_shell(command);
	}
	if (child > 0 && wait_for(child, &status) < 0)
		status = -1;

	int error = errno;
	sigaction(SIGINT, &interrupt, NULL);
	sigaction(SIGQUIT, &quit, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	errno = error;
	return status;
}

/* Streams that popen made: the child of each is pclose's to wait for. The list is held for an instant only: a spin lock does. */
struct opened {
	FILE *stream;
	pid_t child;
	struct opened *next;
};

static struct opened *opened_streams;
static char opened_lock;

static void lock_opened(void)
{
	while (__atomic_test_and_set(&opened_lock, __ATOMIC_ACQUIRE))
		usleep(50);
}

static void unlock_opened(void)
{
	__atomic_clear(&opened_lock, __ATOMIC_RELEASE);
}

EXPORT FILE *popen(const char *command, const char *mode)
{
	int reading = mode[0] == 'r', ends[2];
	if ((!reading && mode[0] != 'w') || (mode[1] != '\0' && strcmp(mode + 1, "e") != 0)) {
		errno = EINVAL;
		return NULL;
	}
	struct opened *entry = malloc(sizeof *entry);
	if (entry == NULL)
		return NULL;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		free(entry);
		return NULL;
	}
	int ours = ends[reading ? 0 : 1], theirs = ends[reading ? 1 : 0], standard = reading ? STDOUT_FILENO : STDIN_FILENO;
	entry->stream = fdopen(ours, reading ? "r" : "w");
	entry->child = entry->stream == NULL ? -1 : fork();
	if (entry->child == 0) {
		/* dup2 onto itself would keep close-on-exec. */
		if (theirs == standard)
			fcntl(theirs, F_SETFD, 0);
		else
			dup2(theirs, standard);
		run_shell(command);
	}
	close(theirs);
	if (entry->child < 0) {
		if (entry->stream != NULL)
			fclose(entry->stream);
		else
			close(ours);
		free(entry);
		return NULL;
	}
	if (mode[1] != 'e')
		fcntl(ours, F_SETFD, 0);
	FILE *stream = entry->stream;
	lock_opened();
	entry->next = opened_streams;
	opened_streams = entry;
	unlock_opened();
	return stream;
}

EXPORT int pclose(FILE *stream)
{
	lock_opened();
	struct opened **link = &opened_streams;
	while (*link != NULL && (*link)->stream != stream)
		link = &(*link)->next;
	struct opened *entry = *link;
	if (entry != NULL)
		*link = entry->next;
	unlock_opened();
	if (entry == NULL)
		return NEXT(pclose)(stream);

	pid_t child = entry->child;
	int status;
	free(entry);
	fclose(stream);
	return wait_for(child, &status) < 0 ? -1 : status;
}

static struct passwd root_user = {
	.pw_name = "root",
	.pw_passwd = "x",
	.pw_gecos = "root",
	.pw_dir = "/",
	.pw_shell = "/dev/crashcart/bin/bash",
};

static char *no_members[] = {NULL};

static struct group root_group = {.gr_name = "root", .gr_passwd = "x", .gr_mem = no_members};

EXPORT struct passwd *getpwnam(const char *name)
{
	struct passwd *found = NEXT(getpwnam)(name);
	return found == NULL && strcmp(name, "root") == 0 ? &root_user : found;
}

EXPORT struct passwd *getpwuid(uid_t uid)
{
	struct passwd *found = NEXT(getpwuid)(uid);
	return found == NULL && uid == 0 ? &root_user : found;
}

/* Every string of root_user is constant, so nothing need be copied into the caller's buffer. */
static int or_root(int is_root, int error, struct passwd *result, struct passwd **found)
{
	if (*found != NULL || error == ERANGE || !is_root)
		return error;
	*result = root_user;
	*found = result;
	return 0;
}

EXPORT int getpwnam_r(const char *name, struct passwd *result, char *buffer, size_t size, struct passwd **found)
{
	int error = NEXT(getpwnam_r)(name, result, buffer, size, found);
	return or_root(strcmp(name, "root") == 0, error, result, found);
}

EXPORT int getpwuid_r(uid_t uid, struct passwd *result, char *buffer, size_t size, struct passwd **found)
{
	int error = NEXT(getpwuid_r)(uid, result, buffer, size, found);
	return or_root(uid == 0, error, result, found);
}

EXPORT struct group *getgrnam(const char *name)
{
	struct group *found = NEXT(getgrnam)(name);
	return found == NULL && strcmp(name, "root") == 0 ? &root_group : found;
}

EXPORT struct group *getgrgid(gid_t gid)
{
	struct group *found = NEXT(getgrgid)(gid);
	return found == NULL && gid == 0 ? &root_group : found;
}

EXPORT int initgroups(const char *user, gid_t group)
{
	int result = NEXT(initgroups)(user, group);
	return result < 0 && errno == EPERM && geteuid() == 0 && group == getegid() ? 0 : result;
}

EXPORT int setgroups(size_t count, const gid_t *groups)
{
	int result = NEXT(setgroups)(count, groups);
	return result < 0 && errno == EPERM && geteuid() == 0 && (count == 0 || (count == 1 && groups[0] == getegid()))
		       ? 0
		       : result;
}
