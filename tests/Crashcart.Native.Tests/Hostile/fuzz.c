/*
 * fuzz PROGRAM CASES SEED: gives crashcart-enter requests that no node writes, and says how many it refused. Everything that a request can
 * number is /dev/null, and the program is nobody's process, so that nothing comes of those that are understood.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534
#define ROOM (1 << 17)

static const char *const modes[] = {"exec", "attach", "withdraw", "detach", "nonsense"};
static const char *const records[] = {
	"pidfd=5", "root=6", "tree=7", "cgroup=/nowhere/c", "cgroup1=/nowhere/c1", "ns=7e020000", "owner=0:0", "userns=1", "mount=77",
	"at=crashcart", "lazy=1", "keep=1", "terminal=24x80", "user=1000:1000", "caps=3ffffffffff", "ambient=1", "nnp=1",
	"label=apparmor docker-default", "filter=060000000000ff7f", "cwd=/", "grace=10", "arg=true", "arg=-x", "env=A=b", "path=/bin", "rmdir=/nowhere/x",
	"parent=/nowhere",
};

static uint64_t state;

static unsigned below(unsigned bound)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(state >> 33) % bound;
}

static size_t write_request(char *request)
{
	size_t length = 0;
	unsigned count = below(40);
	/* Most have what every request needs, to get beyond that. */
	if (below(4) != 0)
		length = (size_t)sprintf(request, "pidfd=5%croot=6%c", 0, 0);
	for (unsigned i = 0; i < count; i++) {
		const char *record = records[below(sizeof records / sizeof *records)];
		size_t size = strlen(record) + 1;
		memcpy(request + length, record, size);
		length += size;
	}
	if (below(50) == 0) {
		size_t size = 1 + below(ROOM / 2);
		memset(request + length, 'a' + (int)below(26), size);
		length += size;
	}
	for (unsigned i = below(6); i > 0 && length > 1; i--) {
		size_t at = below((unsigned)length);
		switch (below(5)) {
		case 0: request[at] = (char)below(256); break;
		case 1: request[at] = "0=:x-/9f"[below(8)]; break;
		case 2: memmove(request + at, request + at + 1, --length - at); break;
		case 3: memmove(request + at + 1, request + at, length++ - at); break;
		default: length = below(8) == 0 ? at + 1 : length; break;
		}
	}
	return length;
}

static void become_the_program(int program, int control, int request, const char *mode)
{
	int null = open("/dev/null", O_RDWR);
	int to[] = {null, null, null, control, request, null, null, null, program};
	char *const arguments[] = {"crashcart-enter", (char *)mode, NULL};
	char *const environment[] = {NULL};
	/* Out of each other's way first. */
	for (int i = 0; i < 9; i++)
		to[i] = fcntl(to[i], F_DUPFD, 100);
	for (int i = 0; i < 9; i++)
		dup2(to[i], i);
	syscall(SYS_close_range, 9, ~0U, 0);
	if (setgroups(0, NULL) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 || setresuid(NOBODY, NOBODY, NOBODY) != 0)
		_exit(1);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fcntl(8, F_SETFD, FD_CLOEXEC);
	syscall(SYS_execveat, 8, "", arguments, environment, AT_EMPTY_PATH);
	_exit(1);
}

int main(int argc, char **argv)
{
	static char request[ROOM];
	int program = argc == 4 ? open(argv[1], O_PATH) : -1, refused = 0, cases = argc == 4 ? atoi(argv[2]) : 0;
	state = argc == 4 ? strtoull(argv[3], NULL, 10) : 0;
	/* Whatever it leaves behind comes to us. A hang is an end by SIGALRM. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	alarm(60);
	for (int i = 0; i < cases; i++) {
		int pair[2], status, memory = memfd_create("request", MFD_CLOEXEC);
		size_t length = write_request(request);
		if (write(memory, request, length) != (ssize_t)length || lseek(memory, 0, SEEK_SET) != 0 ||
		    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
			return 1;
		pid_t child = fork();
		if (child == 0)
			become_the_program(program, pair[1], memory, modes[below(5)]);
		close(pair[0]);
		close(pair[1]);
		close(memory);
		for (pid_t ended; (ended = wait(&status)) > 0;) {
			if (ended == child && WIFEXITED(status) && WEXITSTATUS(status) == 125)
				refused++;
			else if (WIFSIGNALED(status) && WTERMSIG(status) != SIGKILL)
				printf("case %d: signal %d\n", i, WTERMSIG(status));
			else if (ended == child)
				printf("case %d: status %x\n", i, status);
		}
	}
	printf("%d refused\n", refused);
	return 0;
}
