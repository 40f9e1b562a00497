/*
 * Hostile code in a container. It looks through /proc without a pause, and tries everything on every process of
 * Crashcart's that it sees. Each success is one line: what was reached.
 *
 *   spy look    /proc/PID/{exe,cwd,root,environ,mem,fd}, ptrace(2), pidfd_getfd(2)
 *   spy kill    SIGKILL to the reaper; spy stop: SIGSTOP
 *   spy steal   takes the reaper's socket and says things to the guardian
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *mode;

static char name[32];

static bool is_ours(const char *pid)
{
	char path[64];
	memset(name, 0, sizeof name);
	snprintf(path, sizeof path, "/proc/%s/comm", pid);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, name, sizeof name - 1);
	close(fd);
	return n > 0 && (strcmp(name, "crashcart-enter\n") == 0 || strcmp(name, "crashcart-reap\n") == 0);
}

/* Before execve(2) the tool has the reaper's name: what it is now decides whose the thing was. */
static void reached(const char *pid, const char *what)
{
	if (is_ours(pid))
		dprintf(1, "%.*s: %s\n", (int)strcspn(name, "\n"), name, what);
}

static void try_open(const char *pid, const char *name, int flags)
{
	char path[64], byte;
	snprintf(path, sizeof path, "/proc/%s/%s", pid, name);
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK);
	/* environ opens for everybody, and is checked when it is read. */
	if (fd >= 0 && (strcmp(name, "environ") != 0 || read(fd, &byte, 1) == 1))
		reached(pid, name);
	if (fd >= 0)
		close(fd);
}

static void look(const char *pid)
{
	const char *links[] = {"exe", "cwd", "root", "fd/0", "fd/1", "fd/2", "fd/3", "fd/4", "fd/5"};
	char path[64], target[256];
	for (size_t i = 0; i < sizeof links / sizeof *links; i++) {
		snprintf(path, sizeof path, "/proc/%s/%s", pid, links[i]);
		if (readlink(path, target, sizeof target) >= 0)
			reached(pid, links[i]);
	}
	try_open(pid, "exe", O_WRONLY);
	try_open(pid, "environ", O_RDONLY);
	try_open(pid, "mem", O_RDWR);
	try_open(pid, "root", O_RDONLY);
	pid_t number = (pid_t)atoi(pid);
	if (ptrace(PTRACE_SEIZE, number, 0, 0) == 0) {
		reached(pid, "ptrace");
		ptrace(PTRACE_DETACH, number, 0, 0);
	}
	int held = (int)syscall(SYS_pidfd_open, number, 0), taken = (int)syscall(SYS_pidfd_getfd, held, 3, 0);
	if (taken >= 0) {
		reached(pid, "pidfd_getfd");
		close(taken);
	}
	close(held);
}

static void say(int to, int32_t kind, int descriptor)
{
	int32_t body[3] = {kind, 0, 0};
	struct iovec io = {body, sizeof body};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr h = {.msg_iov = &io, .msg_iovlen = 1};
	if (descriptor >= 0) {
		h.msg_control = &control;
		h.msg_controllen = sizeof control;
		*CMSG_FIRSTHDR(&h) = (struct cmsghdr){CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&h)), &descriptor, sizeof descriptor);
	}
	(void)!sendmsg(to, &h, MSG_NOSIGNAL);
}

/* Terminals that are none, a reaper and a tool that are none. */
static void steal(const char *pid)
{
	int held = (int)syscall(SYS_pidfd_open, atoi(pid), 0), socket = (int)syscall(SYS_pidfd_getfd, held, 3, 0);
	if (socket < 0)
		return;
	for (int i = 0; i < 2000; i++)
		say(socket, 1 /* SAY_TERMINAL */, 0);
	say(socket, 16 /* IN_REAPER */, -1);
	say(socket, 17 /* IN_TOOL */, -1);
	dprintf(1, "stolen\n");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	mode = argc > 1 ? argv[1] : "look";
	dprintf(1, "started\n");
	for (;;) {
		DIR *proc = opendir("/proc");
		for (struct dirent *e; proc != NULL && (e = readdir(proc)) != NULL; ) {
			if (*e->d_name < '0' || *e->d_name > '9' || !is_ours(e->d_name))
				continue;
			if (strcmp(mode, "look") == 0)
				look(e->d_name);
			else if (strcmp(mode, "steal") == 0)
				steal(e->d_name);
			else
				kill(atoi(e->d_name), strcmp(mode, "stop") == 0 ? SIGSTOP : SIGKILL);
		}
		if (proc != NULL)
			closedir(proc);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}
