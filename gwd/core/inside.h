// SPDX-License-Identifier: GPL-2.0-or-later
// inside: which destinations gwd leaves alone: this host's own addresses, what means more than one
// host, and whatever main has a route for, but a default one by a gateway's interface: the LAN, a VPN, a static
// route, the network of a link itself (a modem's page), or what it refuses. Everything else goes out, and is
// balanced.
//
// It is what a route lookup for the packet would say, worked out beforehand: the longest prefix decides,
// the lowest metric among equals, and table local comes before main. As ranges, in order, none of which
// touch each other, so that one lookup in a set of intervals answers for a packet.
#ifndef GWD_CORE_INSIDE_H
#define GWD_CORE_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "gwd/base/addr.h"
#include "gwd/base/vec.h"

struct facts;

struct span {
	uint8_t first[16], last[16]; // network order, both inclusive; IPv4 has its 4 bytes first
};

struct spans {
	VEC(struct span) v;
};

// Interface indices of the gateways.
struct inside_wans {
	VEC(uint32_t) v;
};

// Fills `out` (zeroed; free with vec_free(&out->v)).
void inside_spans(struct spans *out, const struct facts *facts, enum fam fam, const struct inside_wans *wans);

#endif
