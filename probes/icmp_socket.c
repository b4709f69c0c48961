// SPDX-License-Identifier: GPL-2.0-or-later
#include "probes/icmp_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probes/icmp_packet.h"
#include "probes/link_socket.h"

// ---- opening ---------------------------------------------------------------------------------

static int set_int(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value)) < 0 ? -errno : 0;
}

int icmp_socket_set_id(int fd, enum fam fam, uint16_t id)
{
	struct sock_filter filter[ICMP_PACKET_FILTER];
	struct sock_fprog prog = {icmp_filter(fam, id, filter), filter};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) < 0 ? -errno : 0;
}

static int bind_to_link(int fd, enum fam fam, const char *ifname, uint32_t mark)
{
	int r = link_socket_bind(fd, ifname, mark);

	if (!r)
		r = link_stamp(fd);
	if (!r)
		r = fam == FAM_4 ? set_int(fd, IPPROTO_IP, IP_PKTINFO, 1)
				 : set_int(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	return r;
}

int icmp_socket_open(enum fam fam, const char *ifname, uint32_t mark, uint16_t id)
{
	int fd = socket(fam_af(fam), SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			fam == FAM_4 ? IPPROTO_ICMP : IPPROTO_ICMPV6);

	if (fd < 0)
		return -errno;
	int r = icmp_socket_set_id(fd, fam, id);
	if (!r)
		r = bind_to_link(fd, fam, ifname, mark);
	if (!r)
		return fd;
	close(fd);
	return r;
}

// ---- sending ---------------------------------------------------------------------------------

// The source goes beside each packet, so one socket serves all addresses of a link. A link-local
// target is left to the kernel: it wants a link-local source.
static void set_source(struct msghdr *msg, const struct addr *source, const struct addr *target)
{
	struct cmsghdr *c = msg->msg_control;
	struct in_pktinfo info4 = {0};
	struct in6_pktinfo info6 = {0};
	bool v4 = source->family == AF_INET;
	size_t size = v4 ? sizeof(info4) : sizeof(info6);

	if (source->family != target->family || (!v4 && addr_is_link_local(target))) {
		msg->msg_control = NULL;
		msg->msg_controllen = 0;
		return;
	}
	memcpy(&info4.ipi_spec_dst, source->b, 4);
	memcpy(&info6.ipi6_addr, source->b, 16);
	msg->msg_controllen = CMSG_SPACE(size);
	c->cmsg_level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
	c->cmsg_type = v4 ? IP_PKTINFO : IPV6_PKTINFO;
	c->cmsg_len = CMSG_LEN(size);
	memcpy(CMSG_DATA(c), v4 ? (const void *)&info4 : (const void *)&info6, size);
}

int icmp_socket_send(int fd, const uint8_t *data, size_t size, const struct addr *target,
		     const struct addr *source, uint32_t ifindex)
{
	_Alignas(struct cmsghdr) uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))] = {0};
	struct sockaddr_storage to;
	struct iovec iov = {(void *)(uintptr_t)data, size};
	struct msghdr msg = {
		.msg_name = &to,
		.msg_namelen = link_sockaddr(&to, target, 0, ifindex),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
	};

	set_source(&msg, source, target);
	return sendmsg(fd, &msg, MSG_DONTWAIT) < 0 ? -errno : 0;
}

// ---- receiving -------------------------------------------------------------------------------

static void read_control(struct msghdr *msg, struct icmp_arrival *out)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		struct in_pktinfo info4;
		struct in6_pktinfo info6;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			memcpy(&info4, CMSG_DATA(c), sizeof(info4));
			out->ifindex = (uint32_t)info4.ipi_ifindex;
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			memcpy(&info6, CMSG_DATA(c), sizeof(info6));
			out->ifindex = info6.ipi6_ifindex;
		}
	}
}

ssize_t icmp_socket_receive(int fd, uint8_t data[ICMP_SOCKET_ROOM], struct icmp_arrival *arrival)
{
	_Alignas(struct cmsghdr) uint8_t control[256];
	struct sockaddr_in6 from = {0};
	struct iovec iov = {data, ICMP_SOCKET_ROOM};
	struct msghdr msg = {
		.msg_name = &from,
		.msg_namelen = sizeof(from),
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);

	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (msg.msg_flags & MSG_TRUNC)
		return 0;
	*arrival = (struct icmp_arrival){.when_us = link_arrived_us(&msg)};
	read_control(&msg, arrival);
	if (from.sin6_family == AF_INET6)
		arrival->from = addr_from(AF_INET6, &from.sin6_addr);
	return n;
}
