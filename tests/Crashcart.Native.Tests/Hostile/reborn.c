/* reborn PID: a process with that PID, in a mount namespace of its own, until standard input ends. */
#define _GNU_SOURCE
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	pid_t pid = argc == 2 ? (pid_t)atoi(argv[1]) : 0;
	struct clone_args birth = {.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&pid, .set_tid_size = 1};
	char byte;
	long child = syscall(SYS_clone3, &birth, sizeof birth);
	if (child == 0) {
		if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
			return 1;
		puts("born");
		fflush(stdout);
		for (;;)
			pause();
	}
	if (child < 0)
		return perror("clone3"), 1;
	(void)!read(0, &byte, 1);
	kill((pid_t)child, SIGKILL);
	waitpid((pid_t)child, NULL, 0);
}
