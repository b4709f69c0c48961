// SPDX-License-Identifier: GPL-2.0-or-later
// conntrack_priv: what conntrack.c and conntrack_end.c share. Nobody else includes it.
#ifndef GWD_NFT_CONNTRACK_PRIV_H
#define GWD_NFT_CONNTRACK_PRIV_H

#include <stdint.h>

#define CONNTRACK_REQUEST_MAX 1024 // bytes of one request

struct mnl_socket;
struct nlmsghdr;

struct conntrack {
	struct mnl_socket *sock;
	uint32_t seq;
};

// A request in `buf`, of CONNTRACK_REQUEST_MAX bytes. `family` AF_UNSPEC: both.
struct nlmsghdr *conntrack_request(struct conntrack *ct, void *buf, uint16_t type, uint16_t flags,
				   int family);

#endif
