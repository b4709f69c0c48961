// SPDX-License-Identifier: GPL-2.0-or-later
// link_socket: keeps a socket on one gateway's link: its device, its mark (so its routing table), and
// its source address. For every prober that has sockets.
#ifndef GWD_PROBES_LINK_SOCKET_H
#define GWD_PROBES_LINK_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "gwd/base/addr.h"

struct answer;
struct prober_link;

// Device and mark. 0 or -errno.
int link_socket_bind(int fd, const char *ifname, uint32_t mark);

// Opens a socket of this type for asking `target`: bound, not blocking, with the link's source address
// (a link-local target is left to the kernel: it wants a link-local source). Descriptor or -errno.
int link_socket_open(int type, const struct prober_link *link, const struct addr *target);

// False: it is one of the last descriptors, which are not for questions. The rest of gwd must go on: be reloaded,
// answer gwctl, end flows. Who made it closes it, and fails with EMFILE.
#define LINK_RESERVE 6
bool link_may_keep(int fd);

// Fills in the address of a target; `ifindex` is for link-local ones. Returns its length.
socklen_t link_sockaddr(struct sockaddr_storage *out, const struct addr *addr, uint16_t port,
			uint32_t ifindex);

// Has the kernel note when each packet came in, and reads that (CLOCK_MONOTONIC; now, where it was not
// noted). So a round trip is right even if we were busy when the packet came.
int link_stamp(int fd); // 0 or -errno
int64_t link_arrived_us(struct msghdr *msg);

// Reads a datagram of a connected socket: its size, or -errno (-EAGAIN: there is none).
ssize_t link_receive(int fd, void *data, size_t room, int64_t *when_us);

// After an error: is there another device of that name now, or none? A socket bound to the old one is
// of no use any more. (IPv4 says ENODEV then, IPv6 ENETUNREACH.)
bool link_is_stale(const char *ifname, uint32_t ifindex);

// Fills in the answer of a question that could not be put: `what` ("192.0.2.1:80"), -errno. CANT where
// it is a shortage of our own, and so no evidence against anybody.
void link_failed(struct answer *failed, const char *what, int r);

// "192.0.2.1:80", "[2001:db8::1]:80"
#define LINK_WHERE (ADDR_TEXT + 8)
const char *link_where(const struct addr *addr, uint16_t port, char text[LINK_WHERE]);

#endif
