/*
 * Hostile code in a container that makes processes.
 *
 *   forker hop N   N processes that live for microseconds: each makes its successor and ends, so that a list of processes is
 *                  out of date when it is read
 *   forker bomb    as many as it may have, none of which ends
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void bomb(void)
{
	for (;;)
		if (fork() < 0)
			usleep(50000);
}

static void hop(int count)
{
	for (int i = 0; i < count; i++)
		if (fork() == 0)
			for (;;)
				if (fork() != 0)
					_exit(0);
}

int main(int argc, char **argv)
{
	if (argc > 2)
		hop(atoi(argv[2]));
	puts("lit");
	fflush(stdout);
	if (argc == 2 && strcmp(argv[1], "bomb") == 0)
		bomb();
	for (;;)
		pause();
}
