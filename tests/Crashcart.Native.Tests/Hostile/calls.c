/* Makes system calls that need no capability, with arguments that do no harm, and prints what came of each. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static void told(const char *name, long result)
{
	printf("%s %s\n", name, result >= 0 ? "made" : errno == EPERM ? "EPERM" : errno == ENOSYS ? "ENOSYS" : "refused");
}

int main(void)
{
	told("add_key", syscall(SYS_add_key, 0, 0, 0, 0, 0));
	told("keyctl", syscall(SYS_keyctl, 9999, 0, 0, 0, 0));
	told("request_key", syscall(SYS_request_key, 0, 0, 0, 0));
	told("io_uring_setup", syscall(SYS_io_uring_setup, 0, 0));
	told("userfaultfd", syscall(SYS_userfaultfd, ~0));
	told("unshare", syscall(SYS_unshare, 0));
	told("setns", syscall(SYS_setns, -1, 0));
	told("open_tree", syscall(SYS_open_tree, -1, "", 0));
	told("perf_event_open", syscall(SYS_perf_event_open, 0, 0, -1, -1, 0));
	told("process_madvise", syscall(SYS_process_madvise, -1, 0, 0, 0, 0));
	told("mbind", syscall(SYS_mbind, 1, 0, 0, 0, 0, 0));
	told("chroot", syscall(SYS_chroot, 0));
	told("clone3", syscall(SYS_clone3, 0, 0));
	told("clone", syscall(SYS_clone, CLONE_NEWUSER | CLONE_THREAD, 0, 0, 0, 0));
	told("personality", personality(ADDR_NO_RANDOMIZE));
	told("personality-asked", personality(0xffffffff));
	told("vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
	told("unix", socket(AF_UNIX, SOCK_STREAM, 0));
	told("newer", syscall(4000));
	told("getpid", syscall(SYS_getpid));
	return 0;
}
