/*
 * A program of the container's own, which steps into the traps that a tool of the toolbox must not: so the tests know
 * that the traps are set.
 */
#include <iconv.h>
#include <pwd.h>
#include <stdlib.h>

int main(void)
{
	getpwnam("nobody-of-that-name");
	iconv_open("TRAP//", "UTF-8");
	return system("exit 0") == -1;
}
