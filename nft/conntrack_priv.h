// SPDX-License-Identifier: GPL-2.0-or-later
// conntrack_priv: what conntrack.c and conntrack_end.c share. Nobody else includes it.
#ifndef GWD_NFT_CONNTRACK_PRIV_H
#define GWD_NFT_CONNTRACK_PRIV_H

#include <stdint.h>

#define CONNTRACK_REQUEST_MAX 1024 // bytes of one request

// Flags of CTA_FILTER that no header for programs has: CTA_FILTER_F_CTA_IP_SRC and ..._PROTO_NUM.
#define CONNTRACK_FILTER_SOURCE (1 << 0)
#define CONNTRACK_FILTER_PROTOCOL (1 << 3)

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
