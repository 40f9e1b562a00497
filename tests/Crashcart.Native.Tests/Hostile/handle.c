/* handle of FILE: prints a file handle. handle open HEX: reads the file of that handle, on the file system of "/". */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	union {
		struct file_handle handle;
		unsigned char bytes[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	} h = {.handle.handle_bytes = MAX_HANDLE_SZ};
	int mount;
	if (argc == 3 && strcmp(argv[1], "of") == 0) {
		if (name_to_handle_at(AT_FDCWD, argv[2], &h.handle, &mount, 0) != 0)
			return perror("name_to_handle_at"), 1;
		for (size_t i = 0; i < sizeof(struct file_handle) + h.handle.handle_bytes; i++)
			printf("%02x", h.bytes[i]);
		return 0;
	}
	if (argc != 3)
		return 2;
	for (size_t i = 0; i < strlen(argv[2]) / 2; i++)
		sscanf(argv[2] + 2 * i, "%2hhx", &h.bytes[i]);
	char text[256];
	int root = open("/", O_RDONLY), fd = open_by_handle_at(root, &h.handle, O_RDONLY);
	if (fd < 0)
		return perror("open_by_handle_at"), 1;
	ssize_t n = read(fd, text, sizeof text);
	return n < 0 || write(1, text, (size_t)n) != n;
}
