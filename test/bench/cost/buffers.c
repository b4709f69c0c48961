// SPDX-License-Identifier: GPL-2.0-or-later
// buffers COUNT: packets that are counted shall find fresh slabs for their buffers.
//
// Each packet has two at a time: pktgen's, and the router's clone of it, whose data are copied. If the processor's slab has
// one free object left and so has the next, each packet takes one of either, and one of them is freed the long way, for
// 280 instructions more; that goes on for ever. So COUNT buffers of either size, more than are free, wait in sockets of
// this namespace; then the last few of them are freed, which are in the slabs that are taken from. "ready" is said; the
// others are kept until the input ends.
#include <err.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define EACH 64 // in a socket: its buffer takes twice as many
#define FREED 8 // of the at least 8 of a slab
#define SMALL 1
#define LARGE 300 // what pktgen's are, too: in a kilobyte

// Any error ends it: without "ready" nothing is counted.
static int queue(int n)
{
	static const char data[LARGE];
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(to);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&to, size) < 0 ||
	    getsockname(fd, (struct sockaddr *)&to, &size) < 0 ||
	    connect(fd, (struct sockaddr *)&to, size) < 0)
		err(1, "a socket of its own");
	for (int i = 0; i < n; i++)
		if (send(fd, data, SMALL, 0) != SMALL || send(fd, data, LARGE, 0) != LARGE)
			err(1, "send");
	return fd;
}

int main(int argc, char **argv)
{
	char byte;
	for (int left = argc > 1 ? atoi(argv[1]) : 0; left > 0; left -= EACH)
		queue(EACH);
	int last = queue(FREED);
	for (int i = 0; i < 2 * FREED; i++)
		if (recv(last, &byte, 1, MSG_DONTWAIT) != 1)
			err(1, "recv");
	if (puts("ready") < 0 || fflush(stdout))
		err(1, "stdout");
	while (read(0, &byte, 1) > 0)
		;
	return 0;
}
