// SPDX-License-Identifier: GPL-2.0-or-later
// icmp_socket: what the kernel needs to be told so that echo requests stay on one link and only
// answers to them come back.
//
// Raw sockets, bound to the device and carrying the gateway's mark (both, or the probe leaves by
// another link: facts.md 17), with a filter on the echo id. Bytes go out and come in; what they
// mean is icmp_packet.c's business, whose question they answer is icmp.c's, the only caller.
#ifndef GWD_PROBES_ICMP_SOCKET_H
#define GWD_PROBES_ICMP_SOCKET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gwd/base/addr.h"

#define ICMP_SOCKET_ROOM 576 // longest packet that is read; longer ones are not answers to ours

struct icmp_arrival {
	struct addr from; // IPv6; for IPv4 it is in the packet
	uint32_t ifindex; // device that it came in by
	int64_t when_us;  // CLOCK_MONOTONIC
};

// Returns the descriptor (not blocking) or -errno. ifname "": not bound; mark 0: none.
int icmp_socket_open(enum fam fam, const char *ifname, uint32_t mark, uint16_t id);
int icmp_socket_set_id(int fd, enum fam fam, uint16_t id); // 0 or -errno

// Sends an ICMP message. `source` none: the kernel's choice. `ifindex`: of the device, for
// link-local targets. 0 or -errno.
int icmp_socket_send(int fd, const uint8_t *data, size_t size, const struct addr *target,
		     const struct addr *source, uint32_t ifindex);

// Size of the packet, 0 for one that is to be ignored, or -errno (-EAGAIN: there is no more).
ssize_t icmp_socket_receive(int fd, uint8_t data[ICMP_SOCKET_ROOM], struct icmp_arrival *arrival);

#endif
