// SPDX-License-Identifier: GPL-2.0-or-later
#include "nft/socket.h"

#include <errno.h>
#include <sys/socket.h>

#include "gwd/base/err.h"
#include "nft/nl.h"

#define SOCKET_RECEIVE_ROOM (8 << 20) // of answers and events (facts.md 6)

static void socket_set(struct mnl_socket *sock, int level, int option, int value)
{
	setsockopt(mnl_socket_get_fd(sock), level, option, &value, sizeof(value)); // a wish, not a need
}

struct mnl_socket *socket_open(struct err *err)
{
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!sock) {
		err_errno(err, errno, "opening a netfilter socket");
		return NULL;
	}
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_errno(err, errno, "binding a netfilter socket");
		mnl_socket_close(sock);
		return NULL;
	}
	socket_set(sock, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_RECEIVE_ROOM);
	socket_set(sock, SOL_NETLINK, NETLINK_EXT_ACK, 1); // which element, and the kernel's words
	socket_set(sock, SOL_NETLINK, NETLINK_CAP_ACK, 1); // without the refused message
	return sock;
}

int socket_send(struct mnl_socket *sock, const void *data, size_t size, struct err *err)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	int room = 0, fd = mnl_socket_get_fd(sock);
	socklen_t length = sizeof(room);
	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &length);
	if (size + 4096 > (size_t)room)
		socket_set(sock, SOL_SOCKET, SO_SNDBUFFORCE, (int)size + 4096);
	if (sendto(fd, data, size, 0, (const struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return err_errno(err, errno, "sending %zu bytes to the kernel", size);
	return 0;
}

// What an earlier, broken off conversation left behind.
static void socket_drain(struct mnl_socket *sock)
{
	char buf[64];
	while (recv(mnl_socket_get_fd(sock), buf, sizeof(buf), MSG_DONTWAIT) >= 0 || errno == ENOBUFS)
		;
}

int socket_ask(struct mnl_socket *sock, const struct nlmsghdr *request,
	       int (*cb)(const struct nlmsghdr *, void *), void *arg, const char *what, struct err *err)
{
	char buf[SOCKET_BUFFER];
	int more = MNL_CB_OK;
	socket_drain(sock);
	int code = socket_send(sock, request, request->nlmsg_len, err);
	if (code < 0)
		return code;
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(sock, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n >= 0)
			more = mnl_cb_run(buf, (size_t)n, request->nlmsg_seq, mnl_socket_get_portid(sock), cb,
					  arg);
		if (n < 0 || more < MNL_CB_STOP)
			return err_errno(err, errno, "reading %s", what);
	}
	return 0;
}
