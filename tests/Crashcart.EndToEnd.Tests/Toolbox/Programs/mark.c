/*
 * A trap: leaves a mark in /trap/marks when it is loaded into a process or run, with the command line of the process.
 *
 * Made twice. As a program without a C library, whose first argument is the mark: containers need not have a shell for
 * their scripts to be traps. As a library that needs no other, with TRAP defined as its mark: it can be loaded by any
 * loader.
 */
#include <fcntl.h>
#include <sys/syscall.h>

static long call(long number, long a, long b, long c, long d)
{
#if defined __x86_64__
	long result;
	register long fourth __asm__("r10") = d;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(fourth)
			 : "rcx", "r11", "memory");
	return result;
#elif defined __aarch64__
	register long x8 __asm__("x8") = number, x0 __asm__("x0") = a, x1 __asm__("x1") = b, x2 __asm__("x2") = c,
		      x3 __asm__("x3") = d;
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory");
	return x0;
#endif
}

enum { LONGEST = 1500 };

static char line[2 * LONGEST + 200];
static long length;

static void add(const char *text)
{
	while (*text != '\0' && length < 2 * LONGEST + 100)
		line[length++] = *text++;
}

/* The beginning of /proc/PID/cmdline, its words parted by blanks. */
static void add_command_line(const char *path)
{
	long file = call(SYS_openat, AT_FDCWD, (long)path, O_RDONLY | O_CLOEXEC, 0);
	long count = call(SYS_read, file, (long)(line + length), LONGEST, 0);
	call(SYS_close, file, 0, 0, 0);
	for (; count > 0; count--, length++) {
		if (line[length] == '\0' || line[length] == '\n')
			line[length] = ' ';
	}
}

static void parent_path(char *path)
{
	char digits[24];
	int count = 0;
	for (long pid = call(SYS_getppid, 0, 0, 0, 0); pid > 0 || count == 0; pid /= 10)
		digits[count++] = (char)('0' + pid % 10);
	for (const char *from = "/proc/"; *from != '\0'; from++)
		*path++ = *from;
	while (count > 0)
		*path++ = digits[--count];
	for (const char *from = "/cmdline"; *from != '\0'; from++)
		*path++ = *from;
	*path = '\0';
}

static void leave_mark(const char *trap)
{
	char parent[64];
	parent_path(parent);
	add(trap);
	add(": ");
	add_command_line("/proc/self/cmdline");
	add("by ");
	add_command_line(parent);
	add("\n");
	long marks = call(SYS_openat, AT_FDCWD, (long)"/trap/marks", O_WRONLY | O_APPEND | O_CLOEXEC, 0);
	call(SYS_write, marks, (long)line, length, 0);
	call(SYS_close, marks, 0, 0, 0);
}

#ifdef TRAP
__attribute__((constructor)) static void loaded(void)
{
	leave_mark(TRAP);
}

/* For LD_AUDIT: the loader keeps what speaks its version. */
unsigned la_version(unsigned version)
{
	return version;
}

/* For iconv(3), which asserts that a module it loaded has this. */
int gconv(void)
{
	return 1; /* __GCONV_NOCONV */
}
#else
__attribute__((used)) static void run(long *stack)
{
	char **arguments = (char **)(stack + 1);
	leave_mark(*stack > 1 ? arguments[1] : "mark");
	call(SYS_exit_group, 0, 0, 0, 0);
}

#if defined __x86_64__
__asm__(".globl _start\n_start: mov %rsp, %rdi\n and $-16, %rsp\n call run\n");
#elif defined __aarch64__
__asm__(".globl _start\n_start: mov x0, sp\n bl run\n");
#endif
#endif
