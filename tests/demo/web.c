/*
 * The one file of a container from scratch: a web server on 127.0.0.1:8080 that asks itself twice a second whether it
 * is well, so that there is traffic on lo with no network at all. It ends at SIGTERM.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct sockaddr_in address;

/* PID 1 has no default action for SIGTERM. */
static void end(int signal)
{
	_exit(128 + signal);
}

static void answer(int listener)
{
	static const char healthy[] = "HTTP/1.0 200 OK\r\nContent-Length: 8\r\n\r\nhealthy\n";
	char request[1024];
	int client = accept(listener, NULL, NULL);
	if (client < 0)
		return;
	if (read(client, request, sizeof request) > 0 && write(client, healthy, sizeof healthy - 1) < 0)
		abort();
	close(client);
}

static void ask(int listener)
{
	static const char request[] = "GET /health HTTP/1.0\r\n\r\n";
	char reply[1024];
	int server = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(server, (struct sockaddr *)&address, sizeof address) == 0 &&
	    write(server, request, sizeof request - 1) > 0) {
		answer(listener);
		while (read(server, reply, sizeof reply) > 0)
			;
	}
	close(server);
}

int main(void)
{
	const int on = 1;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	struct pollfd poller = {.fd = listener, .events = POLLIN};
	signal(SIGTERM, end);
	signal(SIGPIPE, SIG_IGN);
	address.sin_family = AF_INET;
	address.sin_port = htons(8080);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	if (bind(listener, (struct sockaddr *)&address, sizeof address) != 0 || listen(listener, 16) != 0)
		return 1;
	for (;;) {
		if (poll(&poller, 1, 500) > 0)
			answer(listener);
		else
			ask(listener);
	}
}
