// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/link_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "gwd/base/mono.h"
#include "probes/prober.h"

#define STAMP_TRUST_US 60000000 // a packet that lay there longer has a stamp of another clock

int link_socket_bind(int fd, const char *ifname, uint32_t mark)
{
	if (mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &mark, sizeof(mark)) < 0)
		return -errno;
	if (*ifname && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, ifname, (socklen_t)strlen(ifname) + 1) < 0)
		return -errno;
	return 0;
}

socklen_t link_sockaddr(struct sockaddr_storage *out, const struct addr *addr, uint16_t port,
			uint32_t ifindex)
{
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = addr->family;
	if (addr->family == AF_INET) {
		memcpy(&in->sin_addr, addr->b, 4);
		in->sin_port = htons(port);
		return sizeof(*in);
	}
	memcpy(&in6->sin6_addr, addr->b, 16);
	in6->sin6_port = htons(port);
	in6->sin6_scope_id = addr_is_link_local(addr) ? ifindex : 0;
	return sizeof(*in6);
}

static int bind_source(int fd, const struct prober_link *link, const struct addr *target)
{
	struct sockaddr_storage from;
	socklen_t size;
	int one = 1;

	if (link->source.family != target->family)
		return 0;
	if (target->family == AF_INET6 && addr_is_link_local(target))
		return 0;
	// The port is chosen when the peer is known: more connections than there are ports.
	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof(one));
	size = link_sockaddr(&from, &link->source, 0, link->ifindex);
	return bind(fd, (struct sockaddr *)&from, size) < 0 ? -errno : 0;
}

bool link_may_keep(int fd)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY ||
	       (rlim_t)fd + LINK_RESERVE < limit.rlim_cur;
}

int link_socket_open(int type, const struct prober_link *link, const struct addr *target)
{
	int fd = socket(target->family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	int r = link_may_keep(fd) ? link_socket_bind(fd, link->ifname, link->mark) : -EMFILE;
	if (!r)
		r = bind_source(fd, link, target);
	if (!r)
		return fd;
	close(fd);
	return r;
}

// ---- when a packet came ----------------------------------------------------------------------

int link_stamp(int fd)
{
	int one = 1;

	return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one)) < 0 ? -errno : 0;
}

// The kernel stamps by the wall clock; how long the packet lay there is right by any clock.
static int64_t age_us(const struct timespec *stamp)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age = (now.tv_sec - stamp->tv_sec) * 1000000 + (now.tv_nsec - stamp->tv_nsec) / 1000;
	return age > 0 && age < STAMP_TRUST_US ? age : 0;
}

int64_t link_arrived_us(struct msghdr *msg)
{
	struct timespec stamp;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&stamp, CMSG_DATA(c), sizeof(stamp));
		return mono_now_us() - age_us(&stamp);
	}
	return mono_now_us();
}

ssize_t link_receive(int fd, void *data, size_t room, int64_t *when_us)
{
	_Alignas(struct cmsghdr) uint8_t control[64];
	struct iovec iov = {data, room};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
	ssize_t n;

	do
		n = recvmsg(fd, &msg, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	*when_us = link_arrived_us(&msg);
	return n;
}

// ---- failures --------------------------------------------------------------------------------

bool link_is_stale(const char *ifname, uint32_t ifindex)
{
	return *ifname && if_nametoindex(ifname) != ifindex;
}

static bool own_fault(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN:
	case EINTR:
		return true;
	default:
		return false;
	}
}

void link_failed(struct answer *failed, const char *what, int r)
{
	failed->kind = own_fault(-r) ? ANSWER_CANT : ANSWER_DEAD;
	snprintf(failed->text, sizeof(failed->text), "can't ask %s: %s", what, strerror(-r));
}

const char *link_where(const struct addr *addr, uint16_t port, char text[LINK_WHERE])
{
	char host[ADDR_TEXT];

	snprintf(text, LINK_WHERE, addr->family == AF_INET6 ? "[%s]:%u" : "%s:%u", addr_text(addr, host),
		 port);
	return text;
}
