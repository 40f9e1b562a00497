/*
 * crashcart-enter: the only part of Crashcart that enters a foreign namespace.
 *
 * It is run from a sealed memfd, is static and single-threaded, and trusts nothing that it finds inside a container.
 *
 *   descriptors   0, 1, 2  the tool's standard streams
 *                 3        control: one end of a SOCK_SEQPACKET pair; its end of file means that the parent is gone
 *                 4        request: NUL-terminated key=value records
 *                 5...     numbered in the request
 *
 * Modes: `attach`, `detach` and `withdraw` move the image to /dev/crashcart, or to the directory beside it that the request
 * names, in a container's mount namespace, or take it away, from there or from wherever it is.
 * `exec` runs one tool, with four processes:
 *
 *   guardian   stays in the host's namespaces; forwards signals, kills what is left, removes the session's cgroups
 *   entrant    is born in the session's cgroups; joins every namespace, builds the private mount, opens the terminal,
 *              gives up every privilege, starts the reaper by CLONE_PARENT and ends
 *   reaper     is in the container's PID namespace and already has no more than the tool; adopts and reaps what the
 *              tool leaves, so that a container whose PID 1 reaps nothing keeps no zombie
 *   tool       the reaper's child
 *
 * Nothing with more privilege than the tool is ever visible in the container's PID namespace, so there is nothing in
 * there to trace, to read descriptors from or to overwrite.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What older C headers lack; Crashcart.Native's tests compare the same values with newer ones. */
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif
#ifndef OPEN_TREE_CLOEXEC
#define OPEN_TREE_CLOEXEC O_CLOEXEC
#endif
#ifndef MOVE_MOUNT_F_EMPTY_PATH
#define MOVE_MOUNT_F_EMPTY_PATH 0x00000004
#define MOVE_MOUNT_T_EMPTY_PATH 0x00000040
#endif
#ifndef FSOPEN_CLOEXEC
#define FSOPEN_CLOEXEC 1
#define FSMOUNT_CLOEXEC 1
#endif
#ifndef MOUNT_ATTR_RDONLY
#define MOUNT_ATTR_RDONLY 0x00000001
#define MOUNT_ATTR_NOSUID 0x00000002
#define MOUNT_ATTR_NOEXEC 0x00000008
#endif
#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef STATX_MNT_ID
#define STATX_MNT_ID 0x1000U
#endif
#ifndef PIDFD_SIGNAL_PROCESS_GROUP
#define PIDFD_SIGNAL_PROCESS_GROUP (1U << 2)
#endif
#ifndef TIOCGPTPEER
#define TIOCGPTPEER _IO('T', 0x41)
#endif
enum { CONFIG_SET_STRING = 1, CONFIG_CREATE = 6 }; /* enum fsconfig_command */

/* The kernel's struct mount_attr, and what is wanted of its struct statx: musl has neither. */
struct mount_attributes {
	uint64_t set, clear, propagation, userns;
};
struct mount_status {
	uint32_t mask;
	unsigned char skipped[140];
	uint64_t mount;
	unsigned char rest[104];
};

enum {
	CONTROL = 3,
	REQUEST = 4,
	MAX_DEV_ENTRIES = 4096,
	MAX_ACCOUNT_FILE = 1 << 20,
	MAX_FILTER = 256,
	MAX_LAST_WORDS = 1024, /* who stole the reaper's socket may say more */
	KILL_PATIENCE_MS = 2000, /* for the reaper to see its children die */
	RMDIR_PATIENCE_MS = 4000, /* on a host that is very busy */
};

/* Control: from the parent, and to it. */
enum { TO_SIGNAL = 1, TO_KILL = 2, TO_GO = 3 };
enum { SAY_TERMINAL = 1, SAY_STARTED = 2, SAY_FAILED = 3, SAY_EXITED = 4, SAY_DONE = 5 };
/* Between the guardian and the processes inside; SAY_TERMINAL and SAY_FAILED go there too. */
enum { IN_REAPER = 16, IN_TOOL = 17, IN_EXECUTED = 18, IN_EXITED = 19 };

struct message {
	int32_t kind, a, b;
	char text[PATH_MAX + 64];
};

struct list {
	char **item;
	size_t count;
};

struct request {
	int pidfd, root, tree, cgroup;
	int cgroup1[16];
	size_t cgroup1_count;
	int ns;
	uid_t owner_uid;
	gid_t owner_gid;
	bool userns, lazy, keep, nnp, terminal;
	int64_t mount;
	struct winsize size;
	const char *at; /* the name of the mount point in /dev */
	const char *user, *cwd, *cgroup_path;
	const char *label; /* of a security module: MODULE:LABEL */
	uint64_t caps, ambient;
	int grace;
	struct sock_filter filter[MAX_FILTER]; /* of system calls */
	unsigned short filter_length;
	struct list args, env, path, cgroup1_paths, rmdir, parents;
};

#ifdef FAULT_POINTS
/* STEP=ACTION from the request: what the fault campaign has happen once, at one of the steps below. */
static const char *fault;

static void reach(const char *step);
#define REACH(step) reach(step)
#else
#define REACH(step) ((void)0)
#endif

struct account {
	uid_t uid;
	gid_t gid;
	gid_t groups[256];
	size_t group_count;
	char home[PATH_MAX];
};

/* Where a failure is told: the parent's socket in the guardian, the guardian's in every process inside. */
static int report_fd = CONTROL;

static void say(int fd, int32_t kind, int32_t a, int32_t b, const char *text, size_t length)
{
	struct message m = {.kind = kind, .a = a, .b = b};
	if (length > sizeof m.text)
		length = sizeof m.text;
	if (length > 0)
		memcpy(m.text, text, length);
	/* A peer that is gone is noticed by its end of file, not here. */
	(void)send(fd, &m, offsetof(struct message, text) + length, MSG_NOSIGNAL);
}

static void say_failed(int fd, int error, const char *stage, const char *detail)
{
	char text[PATH_MAX + 64];
	int n = snprintf(text, sizeof text, "%s%c%s", stage, '\0', detail);
	size_t length = n < 0 ? 0 : (size_t)n >= sizeof text ? sizeof text - 1 : (size_t)n;
	say(fd, SAY_FAILED, error, 0, text, length);
}

static _Noreturn void fail(const char *stage, const char *detail)
{
	say_failed(report_fd, errno, stage, detail);
	_exit(125);
}

static void say_descriptor(int fd, int32_t kind, int descriptor)
{
	int32_t body[3] = {kind, 0, 0};
	struct iovec io = {.iov_base = body, .iov_len = sizeof body};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr h = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &descriptor, sizeof descriptor);
	(void)sendmsg(fd, &h, MSG_NOSIGNAL);
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#ifdef FAULT_POINTS
static void reach(const char *step)
{
	size_t length = strlen(step);
	if (fault == NULL || strncmp(fault, step, length) != 0 || fault[length] != '=')
		return;
	const char *action = fault + length + 1;
	fault = NULL;
	if (strcmp(action, "kill") == 0)
		syscall(SYS_kill, getpid(), SIGKILL);
	else if (strcmp(action, "stop") == 0)
		syscall(SYS_kill, getpid(), SIGSTOP);
	else if (strcmp(action, "error") == 0) {
		errno = EIO;
		fail("fault", step);
	}
}
#endif

/* ------------------------------------------------------------------------------------------------- the request */

static long number(const char *text, int base)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(text, &end, base);
	if (errno != 0 || end == text || *end != '\0' || v > LONG_MAX) {
		errno = EINVAL;
		fail("request", text);
	}
	return (long)v;
}

static uint64_t mask(const char *text)
{
	char *end;
	uint64_t v = strtoull(text, &end, 16);
	if (end == text || *end != '\0') {
		errno = EINVAL;
		fail("request", text);
	}
	return v;
}

static int small(const char *text)
{
	long v = number(text, 10);
	if (v > INT_MAX) {
		errno = ERANGE;
		fail("request", text);
	}
	return (int)v;
}

/* A list is NULL-terminated, so that it can be given to execve(2); `spare` places stay free for additions. */
static void append(struct list *l, char *item, size_t capacity)
{
	if (l->item == NULL && (l->item = calloc(capacity, sizeof *l->item)) == NULL)
		fail("request", "memory");
	l->item[l->count++] = item;
}

static char *read_all(int fd, size_t limit, size_t *length)
{
	size_t have = 0, room = 16384;
	char *data = malloc(room + 1);
	while (data != NULL) {
		ssize_t n = read(fd, data + have, room - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(data);
			return NULL;
		}
		have += (size_t)n;
		if (n == 0 || have >= limit)
			break;
		if (have == room) {
			room *= 2;
			char *more = realloc(data, room + 1);
			if (more == NULL)
				free(data);
			data = more;
		}
	}
	if (data != NULL)
		data[have] = '\0';
	*length = have;
	return data;
}

static void parse_pair(const char *text, char between, long *a, long *b)
{
	char first[32];
	const char *at = strchr(text, between);
	if (at == NULL || (size_t)(at - text) >= sizeof first) {
		errno = EINVAL;
		fail("request", text);
	}
	memcpy(first, text, (size_t)(at - text));
	first[at - text] = '\0';
	*a = number(first, 10);
	*b = number(at + 1, 10);
}

/* The bytes of its instructions, in hexadecimal. */
static void parse_filter(struct request *r, const char *text)
{
	size_t length = strlen(text), digits = 2 * sizeof *r->filter;
	if (length == 0 || length % digits != 0 || length / digits > MAX_FILTER) {
		errno = EINVAL;
		fail("request", "filter");
	}
	for (size_t i = 0; i < length / 2; i++) {
		char byte[3] = {text[2 * i], text[2 * i + 1]};
		((unsigned char *)r->filter)[i] = (unsigned char)number(byte, 16);
	}
	r->filter_length = (unsigned short)(length / digits);
}

static void parse_record(struct request *r, char *key, char *value, size_t capacity)
{
	long a, b;
	if (strcmp(key, "pidfd") == 0)
		r->pidfd = small(value);
	else if (strcmp(key, "root") == 0)
		r->root = small(value);
	else if (strcmp(key, "tree") == 0)
		r->tree = small(value);
	else if (strcmp(key, "cgroup") == 0)
		r->cgroup_path = value;
	else if (strcmp(key, "cgroup1") == 0)
		append(&r->cgroup1_paths, value, capacity);
	else if (strcmp(key, "ns") == 0)
		r->ns = (int)mask(value);
	else if (strcmp(key, "owner") == 0) {
		parse_pair(value, ':', &a, &b);
		r->owner_uid = (uid_t)a;
		r->owner_gid = (gid_t)b;
	} else if (strcmp(key, "userns") == 0)
		r->userns = small(value) != 0;
	else if (strcmp(key, "mount") == 0)
		r->mount = number(value, 10);
	else if (strcmp(key, "at") == 0)
		r->at = value;
	else if (strcmp(key, "lazy") == 0)
		r->lazy = small(value) != 0;
	else if (strcmp(key, "keep") == 0)
		r->keep = small(value) != 0;
	else if (strcmp(key, "terminal") == 0) {
		parse_pair(value, 'x', &a, &b);
		r->terminal = true;
		r->size.ws_row = (unsigned short)a;
		r->size.ws_col = (unsigned short)b;
	} else if (strcmp(key, "user") == 0)
		r->user = value;
	else if (strcmp(key, "caps") == 0)
		r->caps = mask(value);
	else if (strcmp(key, "ambient") == 0)
		r->ambient = mask(value);
	else if (strcmp(key, "nnp") == 0)
		r->nnp = small(value) != 0;
	else if (strcmp(key, "label") == 0)
		r->label = value;
	else if (strcmp(key, "filter") == 0)
		parse_filter(r, value);
	else if (strcmp(key, "cwd") == 0)
		r->cwd = value;
	else if (strcmp(key, "grace") == 0)
		r->grace = small(value);
	else if (strcmp(key, "arg") == 0)
		append(&r->args, value, capacity);
	else if (strcmp(key, "env") == 0)
		append(&r->env, value, capacity);
	else if (strcmp(key, "path") == 0)
		append(&r->path, value, capacity);
	else if (strcmp(key, "rmdir") == 0)
		append(&r->rmdir, value, capacity);
	else if (strcmp(key, "parent") == 0)
		append(&r->parents, value, capacity);
#ifdef FAULT_POINTS
	else if (strcmp(key, "fault") == 0)
		fault = value;
#endif
	else {
		errno = EINVAL;
		fail("request", key);
	}
}

static struct request read_request(void)
{
	struct request r = {.pidfd = -1, .root = -1, .tree = -1, .cgroup = -1, .at = "crashcart", .cwd = "/"};
	size_t length, records = 0;
	char *data = read_all(REQUEST, SIZE_MAX, &length);
	if (data == NULL || length == 0 || data[length - 1] != '\0') {
		errno = data == NULL ? errno : EINVAL;
		fail("request", "truncated");
	}
	for (size_t i = 0; i < length; i++)
		records += data[i] == '\0';
	for (char *at = data; at < data + length; ) {
		char *next = at + strlen(at) + 1, *equals = strchr(at, '=');
		if (equals == NULL) {
			errno = EINVAL;
			fail("request", at);
		}
		*equals = '\0';
		/* Room for every record, HOME and the terminating NULL. */
		parse_record(&r, at, equals + 1, records + 2);
		at = next;
	}
	if (r.pidfd < 0 || r.root < 0) {
		errno = EINVAL;
		fail("request", "pidfd and root are required");
	}
	close(REQUEST);
	return r;
}

/* --------------------------------------------------------------------------------- paths inside the container */

static int openat2_(int dir, const char *path, uint64_t flags, uint64_t resolve)
{
	struct open_how how = {.flags = flags | O_CLOEXEC, .resolve = resolve};
	return (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
}

/* A path of the container, from its root, with no symbolic link anywhere on the way. */
static int open_plain(const char *path, uint64_t flags)
{
	return openat2_(AT_FDCWD, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

static int clone_tree(int dir, const char *name, unsigned flags)
{
	return (int)syscall(SYS_open_tree, dir, name, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | flags);
}

static int move_tree(int tree, int dir, const char *name)
{
	unsigned to = *name == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0;
	return (int)syscall(SYS_move_mount, tree, "", dir, name, MOVE_MOUNT_F_EMPTY_PATH | to);
}

static int64_t mount_id(int fd)
{
	struct mount_status s;
	if (syscall(SYS_statx, fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_MNT_ID, &s) != 0 || (s.mask & STATX_MNT_ID) == 0)
		return -1;
	return (int64_t)s.mount;
}

static void act_as(uid_t uid, gid_t gid)
{
	(void)setfsgid(gid);
	(void)setfsuid(uid);
}

/* A new file system that is mounted nowhere yet. Options are name, value, ..., NULL. */
static int new_mount(const char *type, const char *const *options, unsigned attributes)
{
	int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	if (fs < 0)
		return -1;
	for (; *options != NULL; options += 2)
		if (syscall(SYS_fsconfig, fs, CONFIG_SET_STRING, options[0], options[1], 0) != 0)
			return -1;
	int mount = -1;
	if (syscall(SYS_fsconfig, fs, CONFIG_CREATE, NULL, NULL, 0) == 0)
		mount = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
	int error = errno;
	close(fs);
	errno = error;
	return mount;
}

/*
 * Whether the path still leads to the image's mount: a container can rename the directories that its mounts are on, or
 * mount over them. True also when only the tool itself may not look there; execve(2) will say so.
 */
static bool image_is_in_place(int64_t mount)
{
	int at = open_plain("/dev/crashcart", O_PATH | O_DIRECTORY);
	if (at < 0)
		return errno == EACCES;
	int64_t found = mount_id(at);
	close(at);
	if (found != mount)
		errno = ESTALE;
	return found == mount;
}

/* ------------------------------------------------------------------------------------------------ attach, detach */

static int join_mounts(const struct request *r)
{
	if ((r->ns & CLONE_NEWNS) != 0 && setns(r->pidfd, CLONE_NEWNS) != 0)
		fail("join", "mount namespace");
	if (fchdir(r->root) != 0 || chroot(".") != 0)
		fail("root", "/");
	/* In a user namespace /dev belongs to the container's root, and only it may make directories there. */
	act_as(r->owner_uid, r->owner_gid);
	int dev = open_plain("/dev", O_PATH | O_DIRECTORY);
	if (dev < 0)
		fail("dev", "/dev");
	return dev;
}

/*
 * The container's /dev through a mount that can be written. The container's own mount is not remounted: only a clone,
 * seen by nobody else, loses its read-only flag.
 */
static int writable_dev(int dev)
{
	struct mount_attributes writable = {.clear = MOUNT_ATTR_RDONLY};
	int clone = clone_tree(dev, "", AT_EMPTY_PATH);
	if (clone >= 0 && syscall(SYS_mount_setattr, clone, "", AT_EMPTY_PATH, &writable, sizeof writable) != 0) {
		close(clone);
		return -1;
	}
	return clone;
}

static bool make_mount_point(int dev, const char *name)
{
	if (mkdirat(dev, name, 0755) == 0)
		return true;
	if (errno == EROFS) {
		int clone = writable_dev(dev);
		if (clone >= 0 && mkdirat(clone, name, 0755) == 0) {
			close(clone);
			return true;
		}
	}
	if (errno != EEXIST)
		fail("mount-point", name);
	return false;
}

static void remove_mount_point(int dev, const char *name)
{
	if (unlinkat(dev, name, AT_REMOVEDIR) == 0 || errno != EROFS)
		return;
	int clone = writable_dev(dev);
	if (clone >= 0) {
		(void)unlinkat(clone, name, AT_REMOVEDIR);
		close(clone);
	}
}

static int open_mount_point(int dev, const char *name)
{
	return openat2_(dev, name, O_PATH | O_DIRECTORY | O_NOFOLLOW, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static int attach(const struct request *r)
{
	int dev = join_mounts(r);
	REACH("enter-attach-joined");
	bool made = make_mount_point(dev, r->at);
	REACH("enter-attach-point-made");
	int point = open_mount_point(dev, r->at);
	if (point < 0)
		fail("mount-point", r->at);
	if (mount_id(point) != mount_id(dev)) {
		errno = EXDEV;
		fail("mount-point", r->at);
	}
	if (move_tree(r->tree, point, "") != 0) {
		int error = errno;
		if (made)
			remove_mount_point(dev, r->at);
		errno = error;
		fail("attach", r->at);
	}
	REACH("enter-attach-mounted");
	say(CONTROL, SAY_DONE, (int32_t)mount_id(r->tree), 0, "", 0);
	return 0;
}

/* Takes back what was just attached, wherever the container has moved it: the tree is that mount itself. */
static int withdraw(const struct request *r)
{
	if ((r->ns & CLONE_NEWNS) != 0 && setns(r->pidfd, CLONE_NEWNS) != 0)
		fail("join", "mount namespace");
	if (fchdir(r->tree) != 0 || umount2(".", UMOUNT_NOFOLLOW | MNT_DETACH) != 0)
		fail("detach", r->at);
	say(CONTROL, SAY_DONE, 0, 0, "", 0);
	return 0;
}

static int detach(const struct request *r)
{
	int dev = join_mounts(r);
	REACH("enter-detach-joined");
	int point = open_mount_point(dev, r->at);
	if (point < 0 && errno != ENOENT)
		fail("mount-point", r->at);
	int64_t found = point < 0 ? -1 : mount_id(point);
	if (point >= 0)
		close(point); /* held open, it would keep the mount busy */
	if (found != r->mount) {
		say(CONTROL, SAY_DONE, 0, 0, "", 0);
		return 0;
	}
	if (fchdir(dev) != 0 || umount2(r->at, UMOUNT_NOFOLLOW | (r->lazy ? MNT_DETACH : 0)) != 0)
		fail("detach", r->at);
	REACH("enter-detach-unmounted");
	if (!r->keep) /* rmdir(2) would take away what other mount namespaces have mounted on it */
		remove_mount_point(dev, r->at);
	REACH("enter-detach-done");
	say(CONTROL, SAY_DONE, (int32_t)found, 0, "", 0);
	return 0;
}

/* ---------------------------------------------------------------------------- the entrant: private mount, terminal */

/*
 * By "tasks": a thread that moves itself does not wait for every other process of the host to be between two forks, as one
 * that moves a process does, for 10 ms and more; and this process has one thread.
 */
static void join_cgroup1(const struct request *r)
{
	for (size_t i = 0; i < r->cgroup1_count; i++) {
		int fd = openat(r->cgroup1[i], "tasks", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			fail("cgroup", "tasks");
		close(fd);
	}
}

static void copy_symlink(int from, int to, const char *name)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(from, name, target, sizeof target - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	if (symlinkat(target, to, name) != 0)
		fail("private", name);
}

/* An entry that vanishes, or that may not be bound, is left out: it is the container's to change. */
static void bind_entry(int from, int to, const char *name)
{
	struct stat s;
	if (fstatat(from, name, &s, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) != 0)
		return;
	if (S_ISLNK(s.st_mode)) {
		copy_symlink(from, to, name);
		return;
	}
	int tree = clone_tree(from, name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | AT_RECURSIVE);
	if (tree < 0)
		return;
	/* What was cloned decides, not what was looked at before. */
	if (fstat(tree, &s) == 0 && !S_ISLNK(s.st_mode)) {
		int made = S_ISDIR(s.st_mode) ? mkdirat(to, name, 0755) : mknodat(to, name, S_IFREG | 0644, 0);
		if (made != 0 || move_tree(tree, to, name) != 0)
			fail("private", name);
	}
	close(tree);
}

/*
 * In our own copy of the container's mount namespace a small tmpfs covers /dev, with every entry of the container's
 * /dev bound into it and the image beside them. So the container's /dev needs no new directory, may be read-only, may
 * be shared with other containers, and keeps no trace, whoever is killed when. Returns the new /dev.
 */
static int build_private_dev(struct request *r)
{
	int dev = open_plain("/dev", O_PATH | O_DIRECTORY);
	if (dev < 0)
		fail("dev", "/dev");
	char uid[16], gid[16];
	snprintf(uid, sizeof uid, "%u", r->owner_uid);
	snprintf(gid, sizeof gid, "%u", r->owner_gid);
	const char *options[] = {"source", "crashcart", "mode", "0755", "size", "1m", "nr_inodes", "8192",
		"uid", uid, "gid", gid, NULL};
	int own = new_mount("tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	if (own < 0 || move_tree(own, dev, "") != 0)
		fail("private", "/dev");

	int listing = openat(dev, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *entries = listing < 0 ? NULL : fdopendir(listing);
	if (entries == NULL)
		fail("dev", "/dev");
	int count = 0;
	for (struct dirent *e; (e = readdir(entries)) != NULL; ) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 || strcmp(e->d_name, "crashcart") == 0)
			continue;
		if (++count > MAX_DEV_ENTRIES) {
			errno = E2BIG;
			fail("dev", "/dev");
		}
		bind_entry(dev, own, e->d_name);
	}
	closedir(entries);
	close(dev);

	if (mkdirat(own, "crashcart", 0755) != 0 || move_tree(r->tree, own, "crashcart") != 0)
		fail("attach", "crashcart");
	r->mount = mount_id(r->tree);
	return own;
}

static void join_container(const struct request *r)
{
	if (r->ns != 0 && setns(r->pidfd, r->ns) != 0)
		fail("join", "namespaces");
	/* Before unshare(2), which moves the working directory and the root over to the copy. */
	if (fchdir(r->root) != 0)
		fail("root", "/");
	if (r->tree >= 0) {
		if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) != 0)
			fail("private", "/");
	}
	if (chroot(".") != 0)
		fail("root", "/");
}

static bool is_devpts(int fd)
{
	struct statfs s;
	return fstatfs(fd, &s) == 0 && s.f_type == DEVPTS_SUPER_MAGIC;
}

/*
 * The terminal's master, and in *slave its other side, from the container's devpts, so that its name means the same
 * thing to the tool. A container without one gets a devpts of the session's own.
 */
static int open_terminal(const struct request *r, int own_dev, int *slave)
{
	act_as(r->owner_uid, r->owner_gid);
	int pts = open_plain("/dev/pts", O_PATH | O_DIRECTORY);
	if (pts < 0 || !is_devpts(pts)) {
		const char *options[] = {"source", "devpts", "ptmxmode", "0666", "mode", "0620", NULL};
		act_as(0, 0);
		pts = new_mount("devpts", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
		if (pts < 0)
			fail("terminal", "devpts");
		/* Named only where there is a place for it; unnamed it works as well. */
		if (own_dev >= 0 && mkdirat(own_dev, "pts", 0755) == 0)
			(void)move_tree(pts, own_dev, "pts");
		act_as(r->owner_uid, r->owner_gid);
	}
	int unlock = 0;
	int master = openat2_(pts, "ptmx", O_RDWR | O_NOCTTY, RESOLVE_NO_XDEV);
	if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) != 0)
		fail("terminal", "/dev/pts/ptmx");
	*slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0 || ioctl(master, TIOCSWINSZ, &r->size) != 0)
		fail("terminal", "/dev/pts");
	act_as(0, 0);
	close(pts);
	return master;
}

/* ------------------------------------------------------------------------------------ the entrant: user, privileges */

/* The entrant's own /proc/self/fd as the host has it: the container's /proc may be anything. */
static int own_descriptors = -1;

/*
 * A whole file of the container, or NULL. What is no plain file is not even opened: opening a device does things, and
 * that of a watchdog starts the clock to the host's reset.
 */
static char *read_account_file(const char *path)
{
	struct stat s;
	size_t length;
	char *text = NULL, number[16];
	int found = openat2_(AT_FDCWD, path, O_PATH, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), fd = -1;
	if (found >= 0 && fstat(found, &s) == 0 && S_ISREG(s.st_mode)) {
		snprintf(number, sizeof number, "%d", found);
		fd = openat(own_descriptors, number, O_RDONLY | O_CLOEXEC);
	}
	if (fd >= 0) {
		text = read_all(fd, MAX_ACCOUNT_FILE, &length);
		close(fd);
	}
	if (found >= 0)
		close(found);
	return text;
}

/* Cuts one line of passwd(5) or group(5) off *text into its fields; false at the end. Missing fields are "". */
static bool next_entry(char **text, char *field[7])
{
	static char none[] = "";
	char *line = strsep(text, "\n");
	if (line == NULL)
		return false;
	for (int i = 0; i < 7; i++) {
		char *value = strsep(&line, ":");
		field[i] = value != NULL ? value : none;
	}
	return true;
}

static bool parse_id(const char *text, unsigned *id)
{
	char *end;
	errno = 0;
	unsigned long v = strtoul(text, &end, 10);
	if (*text < '0' || *text > '9' || *end != '\0' || errno != 0 || v >= UINT_MAX)
		return false;
	*id = (unsigned)v;
	return true;
}

/* Supplementary groups of `name`, as initgroups(3) would find them. */
static void find_groups(struct account *a, const char *name)
{
	char *text = read_account_file("/etc/group"), *at = text, *field[7];
	while (at != NULL && next_entry(&at, field)) {
		unsigned gid;
		if (!parse_id(field[2], &gid))
			continue;
		for (char *member; (member = strsep(&field[3], ",")) != NULL; )
			if (strcmp(member, name) == 0 && a->group_count < sizeof a->groups / sizeof *a->groups)
				a->groups[a->group_count++] = gid;
	}
	free(text);
}

static gid_t find_group(const char *wanted)
{
	unsigned gid;
	if (parse_id(wanted, &gid))
		return gid;
	char *text = read_account_file("/etc/group"), *at = text, *field[7];
	while (at != NULL && next_entry(&at, field)) {
		if (strcmp(field[0], wanted) == 0 && parse_id(field[2], &gid)) {
			free(text);
			return gid;
		}
	}
	errno = ENOENT;
	fail("user", wanted);
}

/* USER[:GROUP] by the container's own files, as docker(1) resolves it: a number needs no entry. */
static struct account find_account(const char *wanted)
{
	struct account a = {.home = "/"};
	char user[512] = "0", *group = NULL;
	if (wanted != NULL) {
		if (strlen(wanted) >= sizeof user) {
			errno = ENAMETOOLONG;
			fail("user", "");
		}
		strcpy(user, wanted);
		if ((group = strchr(user, ':')) != NULL)
			*group++ = '\0';
	}
	unsigned id = 0, uid, gid;
	bool numeric = parse_id(user, &id), found = false;
	char *text = read_account_file("/etc/passwd"), *at = text, *field[7];
	while (!found && at != NULL && next_entry(&at, field)) {
		if (!parse_id(field[2], &uid) || !parse_id(field[3], &gid))
			continue;
		if (numeric ? uid != id : strcmp(field[0], user) != 0)
			continue;
		found = true;
		a.uid = uid;
		a.gid = gid;
		if (field[5][0] == '/' && strlen(field[5]) < sizeof a.home)
			strcpy(a.home, field[5]);
		if (group == NULL && wanted != NULL)
			find_groups(&a, field[0]);
	}
	free(text);
	if (!found && !numeric && strcmp(user, "root") != 0) {
		errno = ENOENT;
		fail("user", user);
	}
	if (!found)
		a.uid = id;
	if (group != NULL)
		a.gid = find_group(group);
	return a;
}

static void set_capabilities(uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	for (int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	if (syscall(SYS_capset, &header, data) != 0)
		fail("capabilities", "capset");
}

static uint64_t permitted_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data) != 0)
		fail("capabilities", "capget");
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

static const char apparmor[] = "apparmor:", selinux[] = "selinux:";

/* Where the kernel takes our own label; opened on the host's procfs, for the container's is anybody's. */
static int open_label(const char *label)
{
	static const char *const paths[] = {"/proc/self/attr/apparmor/current", "/proc/self/attr/current", "/proc/self/attr/exec"};
	bool armor = strncmp(label, apparmor, sizeof apparmor - 1) == 0;
	int fd = -1;
	struct statfs fs;
	for (int i = armor ? 0 : 2; fd < 0 && i < (armor ? 2 : 3); i++)
		fd = open(paths[i], O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) != 0 || fs.f_type != PROC_SUPER_MAGIC)
		fail("label", label);
	return fd;
}

/* AppArmor's holds from here on; SELinux's from the next execve(2) of this process or a child of its. */
static void take_label(const char *label, int fd)
{
	char text[PATH_MAX];
	bool armor = strncmp(label, apparmor, sizeof apparmor - 1) == 0;
	int length = armor ? snprintf(text, sizeof text, "changeprofile %s", label + sizeof apparmor - 1)
		: snprintf(text, sizeof text, "%s", label + sizeof selinux - 1);
	if (length >= (int)sizeof text || write(fd, text, (size_t)length) != length)
		fail("label", label);
	close(fd);
}

/* The program refuses what the tool's profile does not grant. no_new_privs is set. */
static void filter_calls(const struct request *r)
{
	struct sock_filter code[MAX_FILTER];
	memcpy(code, r->filter, sizeof code);
	struct sock_fprog program = {.len = r->filter_length, .filter = code};
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) != 0)
		fail("capabilities", "seccomp");
}

/* From here on the process has what the tool shall have, and no way back. */
static void become(const struct request *r, const struct account *a, int slave, int label)
{
	if (r->userns && setns(r->pidfd, CLONE_NEWUSER) != 0)
		fail("join", "user namespace");
	if (slave >= 0 && a->uid != 0 && fchown(slave, a->uid, (gid_t)-1) != 0)
		fail("terminal", "owner");

	for (int cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		if ((r->caps >> cap & 1) == 0 && prctl(PR_CAPBSET_DROP, cap) != 0)
			fail("capabilities", "bounding set");
	/* A user namespace may deny setgroups(2); the guardian emptied the list, so there is nothing to take away. */
	if (a->group_count > 0 && setgroups(a->group_count, a->groups) != 0 && !(r->userns && errno == EPERM))
		fail("user", "groups");
	if (prctl(PR_SET_KEEPCAPS, 1) != 0)
		fail("capabilities", "keep");
	if (setresgid(a->gid, a->gid, a->gid) != 0 || setresuid(a->uid, a->uid, a->uid) != 0)
		fail("user", r->user != NULL ? r->user : "0:0");

	/* Inheritable is only what ambient needs: more would let file capabilities raise it in a non-root tool. */
	uint64_t have = r->caps & permitted_capabilities(), ambient = a->uid == 0 ? 0 : r->ambient & have;
	set_capabilities(a->uid == 0 ? have : ambient, ambient);
	for (int cap = 0; cap < 64; cap++)
		if ((ambient >> cap & 1) != 0 && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0) != 0)
			fail("capabilities", "ambient set");
	if (r->label != NULL)
		take_label(r->label, label);
	if (r->nnp && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		fail("capabilities", "no_new_privs");
	if (r->filter_length > 0)
		filter_calls(r);
	/* A change of credentials resets it. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		fail("capabilities", "dumpable");
}

/* -------------------------------------------------------------------------------------------------------- the tool */

static void search_and_execute(const struct request *r)
{
	const char *name = r->args.item[0];
	if (strchr(name, '/') != NULL) {
		execve(name, r->args.item, r->env.item);
		return;
	}
	int error = ENOENT;
	for (size_t i = 0; i < r->path.count; i++) {
		char path[PATH_MAX];
		if (snprintf(path, sizeof path, "%s/%s", r->path.item[i], name) >= (int)sizeof path)
			continue;
		execve(path, r->args.item, r->env.item);
		if (errno != ENOENT && errno != ENOTDIR)
			error = errno;
		if (error != ENOENT && error != EACCES)
			break;
	}
	errno = error;
}

static _Noreturn void run_tool(const struct request *r, pid_t reaper, int inner, int failed, int slave)
{
	sigset_t none;
	struct rlimit files;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != reaper)
		_exit(125);
	REACH("enter-exec-tool-born");
	setsid();
	if (slave >= 0 && (ioctl(slave, TIOCSCTTY, 0) != 0 || dup2(slave, 0) < 0 || dup2(slave, 1) < 0 || dup2(slave, 2) < 0))
		fail("terminal", "controlling terminal");
	/* A .NET parent raises its own soft limit; programs that use select(2) expect the usual one. */
	if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur > 1024) {
		files.rlim_cur = 1024;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}

	/* The guardian learns our PID, as the host counts it, from the credentials of this message. */
	say(inner, IN_TOOL, 0, 0, "", 0);
	REACH("enter-exec-tool-known");
	const char *stage = "replaced", *detail = "/dev/crashcart";
	if (image_is_in_place(r->mount)) {
		stage = "cwd";
		detail = r->cwd;
		if (chdir(r->cwd) == 0) {
			stage = "exec";
			detail = r->args.item[0];
			search_and_execute(r);
		}
	}
	int error = errno;
	say_failed(inner, error, stage, detail);
	(void)!write(failed, "", 1);
	_exit(125);
}

/* ------------------------------------------------------------------------------------------------------ the reaper */

static bool reap(int inner, pid_t tool, bool *ended)
{
	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid == tool) {
			REACH("enter-exec-reaper-reaped");
			say(inner, IN_EXITED, status, 0, "", 0);
			*ended = true;
		}
		if (pid < 0)
			return false; /* no child is left */
		if (pid == 0)
			return true;
	}
}

static _Noreturn void run_reaper(const struct request *r, int inner, int slave)
{
	int failed[2];
	char byte;
	prctl(PR_SET_NAME, "crashcart-reap");
	REACH("enter-exec-reaper-born");
	/* First, so that the guardian spares us whatever comes after; the sender's credentials hold our PID. */
	say(inner, IN_REAPER, 0, 0, "", 0);
	REACH("enter-exec-reaper-announced");
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || pipe2(failed, O_CLOEXEC) != 0)
		fail("spawn", "reaper");
	sigset_t child;
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	int children = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	pid_t self = getpid(), tool = children < 0 ? -1 : fork();
	if (tool < 0)
		fail("spawn", "tool");
	if (tool == 0)
		run_tool(r, self, inner, failed[1], slave);

	REACH("enter-exec-reaper-forked");
	/* Held open, they would keep the tool's streams from ending. */
	close(0);
	close(1);
	close(2);
	close(slave);
	close(failed[1]);
	/* End of file: execve(2) closed it. */
	if (read(failed[0], &byte, 1) == 0)
		say(inner, IN_EXECUTED, 0, 0, "", 0);
	close(failed[0]);

	bool guarded = true, ended = false;
	while (reap(inner, tool, &ended)) {
		struct signalfd_siginfo info;
		struct pollfd wait[2] = {{.fd = children, .events = POLLIN}, {.fd = guarded ? inner : -1, .events = POLLIN}};
		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			break;
		(void)!read(children, &info, sizeof info);
		if (wait[1].revents != 0 && recv(inner, &byte, 1, MSG_DONTWAIT) == 0) {
			/* The guardian has finished, or was killed: then the tool must not outlive it. */
			guarded = false;
			/* Once reaped, its PID may be a stranger's. */
			if (!ended) {
				kill(-tool, SIGKILL);
				kill(tool, SIGKILL);
			}
		}
	}
	_exit(0);
}

static _Noreturn void run_entrant(struct request *r, int inner)
{
	report_fd = inner;
	close(CONTROL);
	REACH("enter-exec-entrant-born");
	own_descriptors = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (own_descriptors < 0)
		fail("spawn", "/proc/self/fd");
	int label = r->label != NULL ? open_label(r->label) : -1;
	join_cgroup1(r);
	join_container(r);
	REACH("enter-exec-entrant-joined");
	int dev = r->tree >= 0 ? build_private_dev(r) : -1;
	REACH("enter-exec-entrant-mounted");
	int slave = -1;
	if (r->terminal) {
		int master = open_terminal(r, dev, &slave);
		say_descriptor(inner, SAY_TERMINAL, master);
		REACH("enter-exec-entrant-terminal");
	}
	struct account account = find_account(r->user);
	become(r, &account, slave, label);
	REACH("enter-exec-entrant-became");

	struct request own = *r;
	char home[PATH_MAX + 5];
	bool has_home = false;
	for (size_t i = 0; i < own.env.count; i++)
		has_home |= strncmp(own.env.item[i], "HOME=", 5) == 0;
	if (!has_home) {
		snprintf(home, sizeof home, "HOME=%s", account.home);
		own.env.item[own.env.count++] = home;
	}

	/* Only the streams, the socket and the terminal go on into the container's PID namespace. */
	if (inner != 3 && dup3(inner, 3, O_CLOEXEC) < 0)
		fail("spawn", "descriptors");
	if (slave >= 0 && slave != 4) {
		if (dup3(slave, 4, O_CLOEXEC) < 0)
			fail("spawn", "descriptors");
		slave = 4;
	}
	inner = report_fd = 3;
	if (syscall(SYS_close_range, slave >= 0 ? 5 : 4, ~0U, 0) != 0)
		fail("spawn", "close_range");
	/* Not clone3(2), which a filter of system calls may refuse. */
	pid_t reaper = (pid_t)syscall(SYS_clone, CLONE_PARENT, 0, 0, 0, 0);
	if (reaper < 0)
		fail("spawn", "reaper");
	if (reaper == 0)
		run_reaper(&own, inner, slave);
	REACH("enter-exec-entrant-ends");
	_exit(0);
}

/* ---------------------------------------------------------------------------------------------------- the guardian */

struct session {
	const struct request *request;
	int inner;           /* to the processes inside */
	int signals;         /* signalfd */
	int tool;            /* pidfd, or -1 */
	pid_t entrant, reaper;
	bool entrant_gone, reaper_gone;
	bool started, exited, failed, parent_gone, tool_ended;
	int status;          /* of the tool, as wait(2) gives it */
	struct message failure;
	size_t failure_length;
	int64_t deadline;    /* of the grace that a tool gets when the parent is gone; 0: none runs */
};

static void signal_tool(const struct session *s, int signal)
{
	if (s->tool < 0 || s->exited)
		return;
	if (syscall(SYS_pidfd_send_signal, s->tool, signal, NULL, PIDFD_SIGNAL_PROCESS_GROUP) != 0 && errno == EINVAL)
		(void)syscall(SYS_pidfd_send_signal, s->tool, signal, NULL, 0); /* before Linux 6.9 */
}

static void write_control(int cgroup, const char *name, const char *value)
{
	int fd = openat(cgroup, name, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		(void)!write(fd, value, strlen(value));
		close(fd);
	}
}

static bool is_frozen(int cgroup)
{
	size_t length;
	bool frozen = true; /* no such file: nothing to wait for */
	int fd = openat(cgroup, "cgroup.events", O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		char *text = read_all(fd, 4096, &length);
		frozen = text == NULL || strstr(text, "frozen 0") == NULL;
		free(text);
		close(fd);
	}
	return frozen;
}

static void pause_ms(long ms)
{
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	nanosleep(&t, NULL);
}

/* The PIDs in a file of the kernel's, or NULL. */
static char *read_pids(int dir, const char *name)
{
	size_t length;
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	char *text = fd < 0 ? NULL : read_all(fd, SIZE_MAX, &length);
	if (fd >= 0)
		close(fd);
	return text;
}

static pid_t next_pid(char **at)
{
	char *word = *at == NULL ? NULL : strsep(at, " \n");
	return word == NULL ? 0 : (pid_t)strtol(word, NULL, 10);
}

static bool lists(int dir, const char *name, pid_t wanted)
{
	char *text = read_pids(dir, name), *at = text;
	pid_t pid = next_pid(&at);
	while (pid > 0 && pid != wanted)
		pid = next_pid(&at);
	free(text);
	return pid > 0;
}

/* Those of `held` that the file still lists are killed: the PID of another may have become a stranger's. All are let go. */
static void kill_held(int dir, const char *name, const pid_t *pid, int *held, size_t count)
{
	char *text = read_pids(dir, name), *at = text;
	for (pid_t listed; (listed = next_pid(&at)) > 0; )
		for (size_t i = 0; i < count; i++)
			if (pid[i] == listed && held[i] >= 0)
				(void)syscall(SYS_pidfd_send_signal, held[i], SIGKILL, NULL, 0);
	for (size_t i = 0; i < count; i++)
		close(held[i]);
	free(text);
}

/* Kills the processes that the file lists, but the reaper; false when there was none. */
static bool kill_listed(int dir, const char *name, pid_t reaper)
{
	enum { AT_ONCE = 128 };
	pid_t pid[AT_ONCE], next;
	int held[AT_ONCE];
	size_t count = 0;
	bool any = false;
	char *text = read_pids(dir, name), *at = text;
	while ((next = next_pid(&at)) > 0) {
		if (next == reaper)
			continue;
		any = true;
		pid[count] = next;
		held[count++] = (int)syscall(SYS_pidfd_open, next, 0);
		if (count == AT_ONCE) {
			kill_held(dir, name, pid, held, count);
			count = 0;
		}
	}
	kill_held(dir, name, pid, held, count);
	free(text);
	return any;
}

static void children_of(pid_t pid, char path[64])
{
	snprintf(path, 64, "/proc/%d/task/%d/children", pid, pid);
}

static bool kill_members(int cgroup, pid_t reaper)
{
	return kill_listed(cgroup, "cgroup.procs", reaper);
}

static int session_cgroup(const struct request *r)
{
	return r->cgroup >= 0 ? r->cgroup : r->cgroup1_count > 0 ? r->cgroup1[0] : -1;
}

/*
 * Everything in the session dies, but the reaper, which has to see it die. What survives the first killing, because it
 * forks faster, is frozen meanwhile. What found its way into another cgroup (a privileged tool can, where the container
 * may write there) is still a child of the reaper's, or becomes one when its parent dies.
 */
static void kill_session(const struct session *s)
{
	const struct request *r = s->request;
	int cgroup = session_cgroup(r);
	if (s->tool >= 0 && !s->exited)
		(void)syscall(SYS_pidfd_send_signal, s->tool, SIGKILL, NULL, 0);
	/*
	 * Before the reaper is known nothing of the container's has run, and what is on its way ends by itself when `inner`
	 * does. Killed now, a reaper would leave its child as a zombie to a PID 1 that may reap nothing.
	 */
	if (cgroup < 0 || s->reaper == 0)
		return;
	int64_t deadline = now_ms() + KILL_PATIENCE_MS;
	/* The usual case: the tool has ended and left nothing. */
	while (kill_members(cgroup, s->reaper) && now_ms() < deadline) {
		/* A fork bomb would have the processors to itself. Nothing is started from here any more. */
		(void)setpriority(PRIO_PROCESS, 0, -20);
		if (r->cgroup >= 0) {
			write_control(cgroup, "cgroup.freeze", "1");
			while (!is_frozen(cgroup) && now_ms() < deadline)
				pause_ms(1);
			kill_members(cgroup, s->reaper);
			write_control(cgroup, "cgroup.freeze", "0");
		}
		pause_ms(1);
	}
	char children[64];
	children_of(s->reaper, children);
	for (int round = 0; round < 100 && !s->reaper_gone && kill_listed(AT_FDCWD, children, 0); round++)
		pause_ms(1);
}

/* Returns false when no child is left. */
static bool reap_own(struct session *s)
{
	pid_t pid;
	while ((pid = waitpid(-1, NULL, WNOHANG)) > 0) {
		s->entrant_gone |= pid == s->entrant;
		s->reaper_gone |= pid == s->reaper;
	}
	return pid == 0;
}

static void wait_for_reaper(struct session *s)
{
	int64_t deadline = now_ms() + KILL_PATIENCE_MS;
	shutdown(s->inner, SHUT_RDWR);
	while (reap_own(s)) {
		int64_t left = deadline - now_ms();
		if (left <= 0) {
			/* Stopped by the container, or it has a child that cannot die: it goes, and the child with it or alone. */
			if (s->reaper > 0 && !s->reaper_gone)
				kill(s->reaper, SIGKILL);
			if (s->reaper == 0 && session_cgroup(s->request) >= 0)
				kill_members(session_cgroup(s->request), 0);
			if (!s->entrant_gone)
				kill(s->entrant, SIGKILL);
			deadline = now_ms() + KILL_PATIENCE_MS;
			left = KILL_PATIENCE_MS;
		}
		struct signalfd_siginfo info;
		struct pollfd wait = {.fd = s->signals, .events = POLLIN};
		poll(&wait, 1, (int)left);
		(void)!read(s->signals, &info, sizeof info);
	}
}

static void remove_cgroups(const struct request *r)
{
	if (r->cgroup >= 0)
		write_control(r->cgroup, "cgroup.kill", "1");
	int64_t deadline = now_ms() + RMDIR_PATIENCE_MS;
	for (size_t i = 0; i < r->rmdir.count; i++)
		/* A dead process is counted until the kernel has let go of it. */
		while (rmdir(r->rmdir.item[i]) != 0 && errno == EBUSY && now_ms() < deadline)
			pause_ms(1);
	/* A parent that other sessions are in stays, and is theirs to remove. */
	for (size_t i = 0; i < r->parents.count; i++)
		(void)rmdir(r->parents.item[i]);
}

static void on_parent_gone(struct session *s)
{
	s->parent_gone = true;
	s->deadline = now_ms() + s->request->grace;
	signal_tool(s, SIGHUP);
	signal_tool(s, SIGCONT);
}

static bool on_control(struct session *s)
{
	int32_t m[2];
	ssize_t n = recv(CONTROL, m, sizeof m, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		on_parent_gone(s);
		return true;
	}
	if (n != (ssize_t)sizeof m)
		return true;
	if (m[0] == TO_SIGNAL)
		signal_tool(s, m[1]);
	return m[0] != TO_KILL;
}

static bool is_own_child(pid_t pid)
{
	siginfo_t info;
	return pid > 0 && waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

/* A child of the reaper, still so when it is held: a tool that has ended may have left its PID to a stranger. */
static int hold_tool(const struct session *s, pid_t pid)
{
	char children[64];
	children_of(s->reaper, children);
	int held = (int)syscall(SYS_pidfd_open, pid, 0);
	if (held >= 0 && !lists(AT_FDCWD, children, pid)) {
		close(held);
		held = -1;
	}
	return held;
}

/*
 * One message from inside; `sender` is its sender, by the kernel's word. Returns false when the session is over. Where a
 * container may trace the reaper, it may also take this socket from it: so each is heard once, and from whom it can be.
 */
static bool on_inner(struct session *s)
{
	struct message m;
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
	} control;
	struct iovec io = {.iov_base = &m, .iov_len = sizeof m};
	struct msghdr h = {.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
	ssize_t n = recvmsg(s->inner, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n < (ssize_t)offsetof(struct message, text))
		return false;
	struct ucred sender = {0};
	int descriptor = -1;
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-conversion" /* musl's CMSG_NXTHDR */
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c != NULL; c = CMSG_NXTHDR(&h, c)) {
#pragma GCC diagnostic pop
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&sender, CMSG_DATA(c), sizeof sender);
		else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
			memcpy(&descriptor, CMSG_DATA(c), sizeof descriptor);
	}
	switch (m.kind) {
	case SAY_TERMINAL:
		if (descriptor >= 0 && s->reaper == 0)
			say_descriptor(CONTROL, SAY_TERMINAL, descriptor);
		break;
	case SAY_FAILED:
		s->failed = true;
		s->failure = m;
		s->failure_length = (size_t)n;
		break;
	case IN_REAPER:
		if (s->reaper == 0 && sender.pid != s->entrant && is_own_child(sender.pid))
			s->reaper = sender.pid;
		break;
	case IN_TOOL:
		if (s->tool < 0)
			s->tool = hold_tool(s, sender.pid);
		break;
	case IN_EXECUTED:
		s->started = true;
		say(CONTROL, SAY_STARTED, sender.pid, 0, "", 0);
		REACH("enter-exec-guardian-started");
		break;
	case IN_EXITED:
		s->exited = true;
		s->status = m.a;
		break;
	}
	if (descriptor >= 0)
		close(descriptor);
	return !s->failed && !s->exited;
}

static bool on_signal(struct session *s)
{
	struct signalfd_siginfo info;
	if (read(s->signals, &info, sizeof info) != sizeof info)
		return true;
	if (info.ssi_signo != SIGCHLD) {
		signal_tool(s, (int)info.ssi_signo);
		return true;
	}
	/* That nobody is left inside before there was a reaper is told by the end of file on `inner`. */
	reap_own(s);
	if (!s->reaper_gone)
		return true;
	/* poll(2) looks at one descriptor after the other: what the reaper said last may have come after it looked at `inner`. */
	struct pollfd said = {.fd = s->inner, .events = POLLIN};
	for (int i = 0; i < MAX_LAST_WORDS && poll(&said, 1, 0) > 0 && on_inner(s); i++)
		;
	return false;
}

static void guard(struct session *s)
{
	for (bool going = true; going; ) {
		int timeout = -1;
		if (s->deadline != 0) {
			int64_t left = s->deadline - now_ms();
			if (left <= 0)
				return;
			timeout = (int)left;
		}
		/* `inner` first: what the processes inside said goes before the news of their end. */
		struct pollfd wait[4] = {
			{.fd = s->inner, .events = POLLIN},
			{.fd = s->signals, .events = POLLIN},
			{.fd = s->parent_gone ? -1 : CONTROL, .events = POLLIN},
			{.fd = s->tool_ended ? -1 : s->tool, .events = POLLIN},
		};
		if (poll(wait, 4, timeout) < 0)
			continue;
		if (wait[0].revents != 0)
			going = on_inner(s);
		else if (wait[2].revents != 0)
			going = on_control(s);
		else if (wait[1].revents != 0)
			going = on_signal(s);
		else if (wait[3].revents != 0) {
			/* The reaper is about to tell how it ended, unless somebody in the container stopped it. */
			s->tool_ended = true;
			if (s->reaper > 0)
				kill(s->reaper, SIGCONT);
		}
	}
}

static int open_cgroup(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail("cgroup", path);
	return fd;
}

/*
 * The parent makes the session's cgroups only now that somebody lives who removes them when the parent is killed before
 * it has finished. A parent that could not make them says so by TO_KILL, and has removed what there was.
 */
static bool wait_for_cgroups(struct request *r)
{
	int32_t m[2];
	ssize_t n;
	do
		n = recv(CONTROL, m, sizeof m, 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof m) {
		remove_cgroups(r);
		return false;
	}
	if (m[0] != TO_GO)
		return false;
	if (r->cgroup_path != NULL)
		r->cgroup = open_cgroup(r->cgroup_path);
	for (size_t i = 0; i < r->cgroup1_paths.count && i < sizeof r->cgroup1 / sizeof *r->cgroup1; i++)
		r->cgroup1[r->cgroup1_count++] = open_cgroup(r->cgroup1_paths.item[i]);
	return true;
}

static int execute(struct request *r)
{
	int pair[2], yes = 1;
	struct session s = {.request = r, .tool = -1};
	sigset_t all;
	if (r->args.count == 0) {
		errno = EINVAL;
		fail("request", "no tool");
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	/* The tool starts with no groups of the host's. */
	if (setgroups(0, NULL) != 0 || chdir("/") != 0)
		fail("spawn", "guardian");
	REACH("enter-exec-guardian-born");
	if (!wait_for_cgroups(r))
		return 125;
	REACH("enter-exec-guardian-told");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 ||
	    setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) != 0)
		fail("spawn", "socketpair");
	s.inner = pair[0];
	s.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s.signals < 0)
		fail("spawn", "signalfd");

	struct clone_args birth = {.exit_signal = SIGCHLD};
	if (r->cgroup >= 0) {
		birth.flags = CLONE_INTO_CGROUP;
		birth.cgroup = (__u64)r->cgroup;
	}
	s.entrant = (pid_t)syscall(SYS_clone3, &birth, sizeof birth);
	if (s.entrant < 0)
		fail(r->cgroup >= 0 ? "cgroup" : "spawn", "entrant");
	if (s.entrant == 0) {
		close(s.inner);
		close(s.signals);
		run_entrant(r, pair[1]);
	}
	REACH("enter-exec-guardian-forked");
	/* Held open here, they would keep the streams, the image or the container's root alive. */
	close(pair[1]);
	close(0);
	close(1);
	close(2);
	close(r->root);
	if (r->tree >= 0)
		close(r->tree);

	guard(&s);
	REACH("enter-exec-guardian-ending");
	kill_session(&s);
	REACH("enter-exec-guardian-killed");
	wait_for_reaper(&s);
	REACH("enter-exec-guardian-reaped");
	remove_cgroups(r);
	REACH("enter-exec-guardian-cleaned");
	if (s.failed || !s.started) {
		if (s.failed)
			(void)send(CONTROL, &s.failure, s.failure_length, MSG_NOSIGNAL);
		else
			say_failed(CONTROL, ECANCELED, "spawn", "killed before the tool was started");
		return 125;
	}
	int signal = s.exited && WIFSIGNALED(s.status) ? WTERMSIG(s.status) : s.exited ? 0 : SIGKILL;
	say(CONTROL, SAY_EXITED, signal != 0 ? 128 + signal : WEXITSTATUS(s.status), signal, "", 0);
	return 0;
}

int main(int argc, char **argv, char **environment)
{
	/* First of all: nobody may trace us or read our memory and descriptors, whatever namespace we are in. */
	if (prctl(PR_SET_DUMPABLE, 0) != 0)
		return 125;
	prctl(PR_SET_NAME, "crashcart-enter");
	*environment = NULL;
	/* What is made in a container, by us and by the tool, does not depend on who started the node. */
	umask(022);
	struct stat control;
	/* Run by hand, or by a container through /proc/self/exe: there is no socket, and nothing that it could do. */
	if (argc != 2 || fstat(CONTROL, &control) != 0 || !S_ISSOCK(control.st_mode))
		return 125;
	for (int fd = CONTROL; fd <= REQUEST; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	struct request request = read_request();

	int last = REQUEST;
	int given[3] = {request.pidfd, request.root, request.tree};
	for (int i = 0; i < 3; i++)
		last = given[i] > last ? given[i] : last;
	for (int fd = REQUEST + 1; fd <= last; fd++)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	if (syscall(SYS_close_range, (unsigned)last + 1, ~0U, 0) != 0)
		fail("request", "close_range");

	if (strcmp(argv[1], "exec") == 0)
		return execute(&request);
	if (strcmp(argv[1], "attach") == 0 && request.tree >= 0)
		return attach(&request);
	if (strcmp(argv[1], "withdraw") == 0 && request.tree >= 0)
		return withdraw(&request);
	if (strcmp(argv[1], "detach") == 0)
		return detach(&request);
	errno = EINVAL;
	fail("request", argv[1]);
}
