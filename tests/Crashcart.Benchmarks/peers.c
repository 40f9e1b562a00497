/*
 * What the benchmarks need and no managed program can give.
 *
 *   peers time COMMAND...                     runs it with /dev/null for its streams; prints nanoseconds from before its
 *                                             start to after its end, and fails when it fails
 *   peers original PID TYPE IMAGE COMMAND...  the system calls of the original Crashcart: a free loop device with the
 *                                             image, a mount of it in the container, the command there, and the unmount
 *
 * As in the original the loop device stays; whoever runs this clears it afterwards, outside the measurement.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static void fail(const char *what)
{
	fprintf(stderr, "peers: %s: %s\n", what, strerror(errno));
	exit(125);
}

static int check(int result, const char *what)
{
	if (result < 0)
		fail(what);
	return result;
}

static int wait_for(pid_t pid)
{
	int status;
	check(waitpid(pid, &status, 0), "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int time_command(char **command)
{
	posix_spawn_file_actions_t quiet;
	struct timespec start, end;
	pid_t pid;
	int status;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	errno = posix_spawnp(&pid, command[0], &quiet, NULL, command, environ);
	if (errno != 0)
		fail(command[0]);
	status = wait_for(pid);
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%lld\n", (long long)(end.tv_sec - start.tv_sec) * 1000000000 + end.tv_nsec - start.tv_nsec);
	return status;
}

static void join(const char *pid, const char *name, int type)
{
	char path[64];
	int fd;
	snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, name);
	fd = check(open(path, O_RDONLY | O_CLOEXEC), path);
	check(setns(fd, type), "setns");
	close(fd);
}

static int attach(const char *image)
{
	int control = check(open("/dev/loop-control", O_RDWR | O_CLOEXEC), "/dev/loop-control");
	int file = check(open(image, O_RDONLY | O_CLOEXEC), image);
	int number = check(ioctl(control, LOOP_CTL_GET_FREE), "LOOP_CTL_GET_FREE");
	struct loop_info64 info = {.lo_flags = LO_FLAGS_READ_ONLY};
	char path[32];
	int loop;

	snprintf(path, sizeof path, "/dev/loop%d", number);
	loop = check(open(path, O_RDONLY | O_CLOEXEC), path);
	check(ioctl(loop, LOOP_SET_FD, file), "LOOP_SET_FD");
	check(ioctl(loop, LOOP_SET_STATUS64, &info), "LOOP_SET_STATUS64");
	close(loop);
	close(file);
	close(control);
	return number;
}

static void mount_inside(const char *pid, const char *type, int number)
{
	join(pid, "mnt", CLONE_NEWNS);
	check(mkdir("/dev/crashcart", 0755), "mkdir");
	check(mknod("/dev/crashcart-loop", S_IFBLK | 0600, makedev(7, (unsigned)number)), "mknod");
	check(mount("/dev/crashcart-loop", "/dev/crashcart", type, MS_RDONLY, NULL), "mount");
	check(unlink("/dev/crashcart-loop"), "unlink");
}

static int run_inside(const char *pid, char **command)
{
	pid_t child;
	join(pid, "ipc", CLONE_NEWIPC);
	join(pid, "uts", CLONE_NEWUTS);
	join(pid, "net", CLONE_NEWNET);
	join(pid, "pid", CLONE_NEWPID);
	join(pid, "mnt", CLONE_NEWNS);
	child = check(fork(), "fork");
	if (child == 0) {
		execv(command[0], command);
		fail(command[0]);
	}
	return wait_for(child);
}

static void unmount_inside(const char *pid)
{
	join(pid, "mnt", CLONE_NEWNS);
	check(umount("/dev/crashcart"), "umount");
	check(rmdir("/dev/crashcart"), "rmdir");
}

/* Each step in a process of its own, as only the last may keep the namespace that it joined. */
static int original(const char *pid, const char *type, const char *image, char **command)
{
	int number = attach(image), status;
	pid_t child = check(fork(), "fork");
	if (child == 0) {
		mount_inside(pid, type, number);
		_exit(0);
	}
	if (wait_for(child) != 0)
		return 125;
	child = check(fork(), "fork");
	if (child == 0)
		_exit(run_inside(pid, command));
	status = wait_for(child);
	unmount_inside(pid);
	return status;
}

int main(int count, char **arguments)
{
	if (count > 2 && strcmp(arguments[1], "time") == 0)
		return time_command(arguments + 2);
	if (count > 5 && strcmp(arguments[1], "original") == 0)
		return original(arguments[2], arguments[3], arguments[4], arguments + 5);
	fprintf(stderr, "usage: peers time COMMAND... | peers original PID TYPE IMAGE COMMAND...\n");
	return 125;
}
